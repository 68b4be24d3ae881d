/**
 * Reads a topic that is not the log: one consumer of a group, record by record, each committed once it has been dealt with. Whoever
 * restarts deals with the last ones again, so the handler must not mind (the intake's commands act once, its dead letters are unique).
 */
import type { Consumer, EachBatchPayload } from 'kafkajs';
import type { Logger } from '#libs/postgres';
import { createClient, type KafkaConnection } from './client.js';
import { type IncomingRecord, toIncoming } from './incoming-record.js';
import { Liveness, type LivenessLimits } from './liveness.js';
import { pause } from './pause.js';
import { identityOf } from './topic.js';

/** It cannot be dealt with now: its partition waits, the others go on. */
export interface Later {
  readonly retryMs: number;
  /** For the log and `/readyz`: no word of the record. */
  readonly reason: string;
}

export interface GroupReaderOptions extends KafkaConnection, LivenessLimits {
  readonly topic: string;
  readonly group: string;
  /** Before each consumer's start; what it throws is as good as a broker that is away. */
  readonly prepare?: () => Promise<unknown>;
  /** undefined: it has dealt with the record for good. What it throws ends this consumer: the next one begins with the same record. */
  readonly handle: (record: IncomingRecord, signal: AbortSignal) => Promise<Later | undefined>;
  readonly logger: Logger;
}

export interface GroupReaderStatus {
  /** Since the last sign of life. */
  readonly silentMs: number;
  /** Partitions whose next record cannot be taken now, and why. */
  readonly waiting: Readonly<Record<number, string>>;
}

export interface GroupReader {
  status(): GroupReaderStatus;
  close(): Promise<void>;
}

const SESSION_MS = 10_000;
const HEARTBEAT_MS = 2_000;
const REBALANCE_MS = 10_000;
const BACKOFF_MIN_MS = 200;
const BACKOFF_MAX_MS = 5_000;
const COMMIT_EVERY_MS = 1_000;
const RETRY_MAX_MS = 5_000;
const LEAVE_MS = 5_000;

interface Reading {
  readonly options: GroupReaderOptions;
  readonly waiting: Map<number, string>;
  /** Ends with the consumer. */
  readonly signal: AbortSignal;
  readonly liveness: Liveness;
  readonly onProgress: () => void;
}

export function readGroup(options: GroupReaderOptions): GroupReader {
  const { logger, topic } = options;
  const closing = new AbortController();
  const waiting = new Map<number, string>();
  const liveness = new Liveness(options);

  async function supervise(): Promise<void> {
    for (let backoff = BACKOFF_MIN_MS; !closing.signal.aborted; backoff = Math.min(2 * backoff, BACKOFF_MAX_MS)) {
      const over = new AbortController();
      const signal = AbortSignal.any([closing.signal, over.signal]);
      const consumer = createConsumer(options);
      const ended = runOne(consumer, {
        options,
        waiting,
        signal,
        liveness,
        onProgress() {
          backoff = BACKOFF_MIN_MS;
        },
      });
      const reason = await Promise.race([ended, liveness.untilStalled(signal)]);
      over.abort();
      await leave(consumer, logger);
      if (closing.signal.aborted) return;
      logger.warn({ topic, reason }, 'the consumer has ended; building another');
      await pause(backoff, closing.signal);
    }
  }

  const supervised = supervise();
  return {
    status: () => ({ silentMs: liveness.silentMs(), waiting: Object.fromEntries(waiting) }),
    async close() {
      closing.abort();
      await supervised;
    },
  };
}

const createConsumer = (options: GroupReaderOptions): Consumer =>
  createClient(options, options.logger).consumer({
    groupId: options.group,
    sessionTimeout: SESSION_MS,
    heartbeatInterval: HEARTBEAT_MS,
    rebalanceTimeout: REBALANCE_MS,
    maxWaitTimeInMs: 200,
    maxBytes: 2 * 1024 * 1024,
    allowAutoTopicCreation: false,
    // Every crash ends this consumer; the supervisor builds the next one.
    retry: { retries: 3, initialRetryTime: 100, maxRetryTime: 1_000, restartOnFailure: async () => false },
  });

/** kafkajs waits for what is in hand; one that hangs is left behind. */
async function leave(consumer: Consumer, logger: Logger): Promise<void> {
  const late = new AbortController();
  const left = consumer.disconnect().catch((err: unknown) => logger.debug({ err }, 'a consumer left without a word'));
  await Promise.race([left, pause(LEAVE_MS, late.signal)]);
  late.abort();
}

/** @returns why it ended */
async function runOne(consumer: Consumer, reading: Reading): Promise<string> {
  const { options, waiting, signal, liveness } = reading;
  const { events } = consumer;
  const crashed = new Promise<string>((resolve) =>
    consumer.on(events.CRASH, ({ payload }) => resolve(payload.error.message)),
  );
  const stopped = new Promise<string>((resolve) => signal.addEventListener('abort', () => resolve('closing')));
  liveness.follow(consumer, signal);
  // What waits in a partition that is another's now is not ours to tell.
  consumer.on(events.GROUP_JOIN, () => signal.aborted || waiting.clear());
  try {
    await options.prepare?.();
    const logIdentity = await identityOf(createClient(options, options.logger), options.topic);
    if (signal.aborted) return 'closing';
    await consumer.connect();
    await consumer.subscribe({ topic: options.topic, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: (payload) => eachBatch(payload, logIdentity, reading),
    });
    return await Promise.race([crashed, stopped]);
  } catch (error) {
    return String(error);
  }
}

async function eachBatch(payload: EachBatchPayload, logIdentity: string, reading: Reading): Promise<void> {
  const { batch, resolveOffset, heartbeat, isRunning, isStale } = payload;
  const { options, waiting, signal } = reading;
  const commits = createCommits(payload, options.topic);
  const readAt = performance.now();
  try {
    for (const message of batch.messages) {
      if (!isRunning() || isStale() || signal.aborted) break;
      const record = { ...toIncoming(options.topic, batch.partition, message), logIdentity, readAt };
      const later = await whileBeating(heartbeat, () => options.handle(record, signal));
      if (later) {
        comeBack(payload, record, later, reading);
        break;
      }
      waiting.delete(batch.partition);
      resolveOffset(message.offset);
      commits.dealtWith(message === batch.messages.at(-1) ? batch.lastOffset() : message.offset);
      reading.onProgress();
      await heartbeat();
      await commits.now(COMMIT_EVERY_MS);
    }
  } catch (error) {
    // Whoever begins again, here or elsewhere, begins after what was done.
    await commits.now().catch((err: unknown) => options.logger.debug({ err }, 'an offset was not committed'));
    throw error;
  }
  await commits.now();
}

/** The partition waits without holding the others: nothing more is fetched of it until the time is up. */
function comeBack(
  { pause: hold, batch }: EachBatchPayload,
  { offset }: IncomingRecord,
  { retryMs, reason }: Later,
  { options, waiting }: Reading,
): void {
  const { logger, topic } = options;
  const { partition } = batch;
  if (!waiting.has(partition))
    logger.warn(
      { topic, partition, offset: String(offset), reason },
      'a record cannot be taken now; its partition waits',
    );
  waiting.set(partition, reason);
  const resume = hold();
  setTimeout(resume, Math.min(retryMs, RETRY_MAX_MS)).unref();
}

/** A record may wait for a conference to be loaded: the group must not think that this member is gone. */
async function whileBeating<T>(heartbeat: () => Promise<void>, work: () => Promise<T>): Promise<T> {
  const beating = setInterval(() => {
    heartbeat().catch(() => undefined); // The next one, or the batch itself, says what is wrong.
  }, HEARTBEAT_MS);
  try {
    return await work();
  } finally {
    clearInterval(beating);
  }
}

function createCommits({ batch, commitOffsetsIfNecessary }: EachBatchPayload, topic: string) {
  let next: string | undefined;
  let at = performance.now();
  return {
    dealtWith(offset: string) {
      next = String(BigInt(offset) + 1n);
    },
    /** Of what is not committed yet, unless the last time was less than so long ago. @throws kafkajs errors */
    async now(everyMs = 0) {
      if (next === undefined || performance.now() - at < everyMs) return;
      const offset = next;
      next = undefined;
      at = performance.now();
      await commitOffsetsIfNecessary({ topics: [{ topic, partitions: [{ partition: batch.partition, offset }] }] });
    },
  };
}
