/**
 * Reads a topic that is not the log: one consumer of a group, record by record, each committed once it has been dealt with. Whoever
 * restarts deals with the last ones again, so the handler must not mind (the intake's commands act once, its dead letters are unique).
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Consumer, EachBatchPayload } from 'kafkajs';
import type { Logger } from '#libs/postgres';
import { createClient, type KafkaConnection } from './client.js';

export interface IncomingRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly key: string | null;
  /** One value a name, as text. */
  readonly headers: Readonly<Record<string, string>>;
  readonly value: Buffer | null;
}

export interface GroupReaderOptions extends KafkaConnection {
  readonly topic: string;
  readonly group: string;
  /** Deals with the record for good. What it throws ends this consumer: the next one begins with the same record. */
  readonly handle: (record: IncomingRecord, signal: AbortSignal) => Promise<void>;
  readonly logger: Logger;
}

export interface GroupReader {
  close(): Promise<void>;
}

const SESSION_MS = 10_000;
const HEARTBEAT_MS = 2_000;
const BACKOFF_MIN_MS = 200;
const BACKOFF_MAX_MS = 5_000;

export function readGroup(options: GroupReaderOptions): GroupReader {
  const { logger, topic } = options;
  const closing = new AbortController();
  const { signal } = closing;

  async function supervise(): Promise<void> {
    for (let backoff = BACKOFF_MIN_MS; !signal.aborted; backoff = Math.min(2 * backoff, BACKOFF_MAX_MS)) {
      const consumer = createClient(options, logger).consumer({
        groupId: options.group,
        sessionTimeout: SESSION_MS,
        heartbeatInterval: HEARTBEAT_MS,
        maxWaitTimeInMs: 200,
        maxBytes: 2 * 1024 * 1024,
        allowAutoTopicCreation: false,
        // Every crash ends this consumer; the loop builds the next one.
        retry: { retries: 3, initialRetryTime: 100, maxRetryTime: 1_000, restartOnFailure: async () => false },
      });
      const reason = await runOne(consumer, options, signal, () => {
        backoff = BACKOFF_MIN_MS;
      });
      await consumer.disconnect().catch((err: unknown) => logger.debug({ err }, 'a consumer left without a word'));
      if (signal.aborted) return;
      logger.warn({ topic, reason }, 'the consumer has ended; building another');
      await wait(backoff, undefined, { signal }).catch(() => undefined);
    }
  }

  const supervised = supervise();
  return {
    async close() {
      closing.abort();
      await supervised;
    },
  };
}

/** @returns why it ended */
async function runOne(
  consumer: Consumer,
  options: GroupReaderOptions,
  signal: AbortSignal,
  onProgress: () => void,
): Promise<string> {
  const crashed = new Promise<string>((resolve) =>
    consumer.on(consumer.events.CRASH, ({ payload }) => resolve(payload.error.message)),
  );
  const stopped = new Promise<string>((resolve) => signal.addEventListener('abort', () => resolve('closing')));
  try {
    await consumer.connect();
    await consumer.subscribe({ topic: options.topic, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: (payload) => eachBatch(payload, options, signal, onProgress),
    });
    return await Promise.race([crashed, stopped]);
  } catch (error) {
    return String(error);
  }
}

async function eachBatch(
  { batch, resolveOffset, heartbeat, commitOffsetsIfNecessary, isRunning, isStale }: EachBatchPayload,
  { handle, topic }: GroupReaderOptions,
  signal: AbortSignal,
  onProgress: () => void,
): Promise<void> {
  for (const { offset, key, headers = {}, value } of batch.messages) {
    if (!isRunning() || isStale() || signal.aborted) return;
    const record: IncomingRecord = {
      topic,
      partition: batch.partition,
      offset: BigInt(offset),
      key: key?.toString() ?? null,
      headers: Object.fromEntries(
        Object.entries(headers).map(([name, one]) => [name, String(Array.isArray(one) ? one[0] : one)]),
      ),
      value,
    };
    // A record may wait for a conference to be loaded: the group must not think that this member is gone.
    const beating = setInterval(() => {
      heartbeat().catch(() => undefined); // The next one, or the batch itself, says what is wrong.
    }, HEARTBEAT_MS);
    try {
      await handle(record, signal);
    } finally {
      clearInterval(beating);
    }
    resolveOffset(offset);
    await heartbeat();
    onProgress();
  }
  await commitOffsetsIfNecessary({
    topics: [{ topic, partitions: [{ partition: batch.partition, offset: String(BigInt(batch.lastOffset()) + 1n) }] }],
  });
}
