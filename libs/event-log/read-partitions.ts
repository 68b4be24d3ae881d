/**
 * Reading for logs that are at hand: each partition is offered to the consumer until it claims it, then read until
 * it is lost. One loop per partition, so that calls for one partition never overlap.
 */
import type { EventLog, LogBatch, LogSubscription, PartitionConsumer } from './port.js';

export type PartitionSource = Pick<EventLog, 'partitions' | 'read'>;

export interface ReadOptions {
  /** Most records handed over at once. */
  readonly fetchSize: number;
  /** Longest wait between two looks at an idle partition, and between two offers. */
  readonly pollMs: number;
  /** Registers an alarm clock for "something was appended"; the answer unregisters it. */
  onWake(wake: () => void): () => void;
  /** A read or the consumer failed; the loop backs off and goes on. */
  onError?(error: unknown, partition: number): void;
}

const BACKOFF_MIN_MS = 50;
const BACKOFF_MAX_MS = 2_000;
const CLOSE_WITHIN_MS = 5_000;

export function readPartitions(
  source: PartitionSource,
  consumer: PartitionConsumer,
  options: ReadOptions,
): LogSubscription {
  const closing = new AbortController();
  const bell = createBell();
  const unregister = options.onWake(bell.ring);
  const due = new Map<number, number | null>();
  const loops = Array.from({ length: source.partitions }, (_, partition) =>
    readPartition(source, consumer, options, { partition, bell, closing: closing.signal, due }),
  );
  let closed: Promise<void> | undefined;
  return {
    status: () => {
      const now = performance.now();
      const assigned = new Map([...due].map(([partition, since]) => [partition, since === null ? 0 : now - since]));
      return { silentMs: 0, alarms: [], assigned };
    },
    close() {
      closed ??= (async () => {
        closing.abort();
        bell.ring();
        unregister();
        await Promise.race([Promise.all(loops), bounded(CLOSE_WITHIN_MS)]);
      })();
      return closed;
    },
  };
}

interface Loop {
  readonly partition: number;
  readonly bell: Bell;
  readonly closing: AbortSignal;
  /** Monotonic milliseconds since when a claim is due without an answer; null: claimed, or declined. */
  readonly due: Map<number, number | null>;
}

async function readPartition(
  source: PartitionSource,
  consumer: PartitionConsumer,
  options: ReadOptions,
  { partition, bell, closing, due }: Loop,
): Promise<void> {
  let backoff = BACKOFF_MIN_MS;
  while (!closing.aborted) {
    let held = false;
    due.set(partition, due.get(partition) ?? performance.now());
    try {
      let next = await consumer.claim(partition);
      held = next !== null;
      due.set(partition, null);
      let ahead: Promise<LogBatch> | undefined;
      while (next !== null && !closing.aborted) {
        const heard = bell.heard();
        const batch = await (ahead ?? source.read(partition, next, options.fetchSize));
        ahead = undefined;
        if (closing.aborted) break;
        if (batch.records.length === 0 && batch.nextOffset === next) {
          await bell.wait(heard, options.pollMs);
          if (!consumer.holds(partition)) break;
          continue;
        }
        // Of a backlog the next part is fetched while this one is taken; of no use where the consumer goes on elsewhere.
        if (batch.nextOffset < batch.highWatermark) {
          ahead = source.read(partition, batch.nextOffset, options.fetchSize);
          ahead.catch(() => undefined); // Whoever awaits it hears of it.
        }
        next = await consumer.consume(batch);
        if (next !== batch.nextOffset) ahead = undefined;
        backoff = BACKOFF_MIN_MS;
      }
      if (held) consumer.lost(partition);
      if (!closing.aborted) await bell.pause(options.pollMs, closing);
    } catch (error) {
      if (held) consumer.lost(partition);
      options.onError?.(error, partition);
      await bell.pause(backoff, closing);
      backoff = Math.min(backoff * 2, BACKOFF_MAX_MS);
    }
  }
}

/** An alarm clock that remembers: who asks whether it rang since he last listened never misses a ring between two looks. */
interface Bell {
  ring(): void;
  heard(): number;
  wait(since: number, atMostMs: number): Promise<void>;
  pause(ms: number, until: AbortSignal): Promise<void>;
}

function createBell(): Bell {
  let rings = 0;
  const sleepers = new Set<() => void>();
  const sleep = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        sleepers.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      sleepers.add(wake);
    });
  return {
    ring() {
      rings += 1;
      for (const wake of [...sleepers]) wake();
    },
    heard: () => rings,
    wait: (since, atMostMs) => (rings === since ? sleep(atMostMs) : Promise.resolve()),
    async pause(ms, until) {
      const end = performance.now() + ms;
      // Rings end a wait for records, not a pause between offers: else every append would be an offer.
      while (!until.aborted && performance.now() < end) await sleep(end - performance.now());
    },
  };
}

const bounded = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms).unref());
