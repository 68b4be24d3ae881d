/** One way to make a kafkajs client: its faults mended, its log lines ours, its waits shorter than what people would bear. */

import type { ConnectionOptions } from 'node:tls';
import kafkajs, { type Kafka, type LogEntry, type SASLOptions } from 'kafkajs';
import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';
import { defineLimit } from '#libs/limits';
import type { Logger } from '#libs/postgres';
import { registerCodecs } from './codecs.js';
import { mendFetchResponses } from './fetch-response.js';

export interface KafkaConnection {
  /** host:port of some brokers; the rest is found through them. */
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly ssl?: boolean | ConnectionOptions;
  readonly sasl?: SASLOptions;
}

/** A request without an answer has an unknown outcome after so long; a hung broker must not stop the road for longer. */
export const REQUEST_MS = defineLimit({
  name: 'kafka.request.time',
  value: 5_000,
  unit: 'ms',
  beyond: 'the request is given up and tried again',
});
const CONNECT_MS = 2_000;

export function createClient({ brokers, clientId, ssl, sasl }: KafkaConnection, logger: Logger): Kafka {
  mendTimers();
  mendFetchResponses();
  registerCodecs();
  return new kafkajs.Kafka({
    brokers: [...brokers],
    clientId,
    connectionTimeout: CONNECT_MS,
    authenticationTimeout: REQUEST_MS,
    requestTimeout: REQUEST_MS,
    // Own loops retry for longer; these only bridge a change of leader.
    retry: { retries: 3, initialRetryTime: 100, maxRetryTime: 1_000 },
    ...(ssl ? { ssl } : {}),
    ...(sasl ? { sasl } : {}),
    logLevel: kafkajs.logLevel.WARN,
    logCreator: () => (entry) => forward(logger, entry),
  });
}

/** What kafkajs repeats, it repeats hundreds of times in an outage: once in so long is a line, the rest is for those who look closely. */
const SAY_AGAIN_MS = 10_000;
const MAX_SAID = defineLimit({
  name: 'kafka.log-lines.kinds',
  value: 100,
  unit: 'entries',
  beyond: 'the oldest kind of line is forgotten and may be written again',
});
/** Lines → when they were last told. Of the process: consumers are rebuilt, and each would say it again. */
const said = new Map<string, number>();

/** What kafkajs calls an error is mostly something that it retries by itself; what is not is an alarm of ours. */
function forward(logger: Logger, { level, namespace, log }: LogEntry): void {
  const { message, timestamp: _, logger: __, ...details } = log;
  const line = `kafka ${namespace}: ${message}`;
  const now = performance.now();
  const isNews = now - (said.get(line) ?? Number.NEGATIVE_INFINITY) >= SAY_AGAIN_MS;
  if (level !== kafkajs.logLevel.ERROR || !isNews) {
    logger.debug(details, line);
    return;
  }
  if (said.size >= MAX_SAID) said.clear();
  said.set(line, now);
  logger.warn(details, line);
}

const CHECK_MS = 10;

/**
 * kafkajs looks at its queue of requests every millisecond for ever, even when it is empty (and Node 24 warns of a negative
 * timeout): 6 % of a core per idle connection. Mended: only while something waits, and no sooner than a throttle's end.
 */
function mendTimers(): void {
  RequestQueue.prototype.scheduleCheckPendingRequests = function scheduleCheckPendingRequests() {
    if (this.throttleCheckTimeoutId || this.pending.length === 0) return;
    this.throttleCheckTimeoutId = setTimeout(
      () => {
        this.throttleCheckTimeoutId = null;
        this.checkPendingRequests();
      },
      Math.max(this.throttledUntil - Date.now(), CHECK_MS),
    );
  };
}
