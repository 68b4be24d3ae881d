/**
 * Reading for logs that are at hand: each partition is offered to the consumer until it claims it, then read until
 * it is lost. One loop per partition, so that calls for one partition never overlap. A wake-up names its partition, and what this
 * process appended itself is handed to the loop: the log is read only for a backlog and for what other processes append.
 */
import { Inbox } from './inbox.js';
import type { EventLog, LogBatch, LogRecord, LogSubscription, PartitionConsumer } from './port.js';
import { createWakeUp, type WakeUp } from './wake-up.js';

export type PartitionSource = Pick<EventLog, 'partitions' | 'read'> & {
  /** The offset that each partition's next record will get, in one look; without it each idle partition is read. */
  heads?(): Promise<ReadonlyMap<number, bigint>>;
};

export interface Appended {
  /** One partition has new records; undefined: any may. */
  wake(partition?: number): void;
  /** Records that this process has committed, in order of offset. */
  hand(partition: number, records: readonly LogRecord[]): void;
}

export interface ReadOptions {
  /** Most records handed over at once. */
  readonly fetchSize: number;
  /** Longest wait between two looks at an idle partition, and between two offers. */
  readonly pollMs: number;
  /** Registers for "something was appended"; the answer unregisters it. */
  onAppended(appended: Appended): () => void;
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
  const loops = Array.from(
    { length: source.partitions },
    (_, partition) => new Loop(source, consumer, options, partition, closing.signal),
  );
  const unregister = options.onAppended({
    wake(partition) {
      if (partition === undefined) for (const loop of loops) loop.wake();
      else loops[partition]?.wake();
    },
    hand: (partition, records) => loops[partition]?.hand(records),
  });
  const stopLooking = source.heads ? lookAtHeads(source.heads, loops, options.pollMs) : () => undefined;
  const running = loops.map((loop) => loop.run());
  let closed: Promise<void> | undefined;
  return {
    status: () => {
      const now = performance.now();
      const assigned = new Map(
        loops.flatMap(({ partition, due }) => (due === undefined ? [] : [[partition, due === null ? 0 : now - due]])),
      );
      return { silentMs: 0, alarms: [], assigned };
    },
    close() {
      closed ??= (async () => {
        closing.abort();
        stopLooking();
        for (const { wakeUp } of loops) wakeUp.ring();
        unregister();
        await Promise.race([Promise.all(running), bounded(CLOSE_WITHIN_MS)]);
      })();
      return closed;
    },
  };
}

/** A wake-up that was lost costs one look, not one for each partition. */
function lookAtHeads(
  heads: NonNullable<PartitionSource['heads']>,
  loops: readonly Loop[],
  everyMs: number,
): () => void {
  let looking = false;
  const look = async () => {
    if (looking || !loops.some(({ next }) => next !== null)) return;
    looking = true;
    try {
      for (const [partition, high] of await heads()) {
        const loop = loops[partition];
        if (loop && loop.next !== null && loop.next < high) loop.wake();
      }
    } catch {
      // The loops read for themselves, and say what is wrong.
      for (const loop of loops) loop.wake();
    }
    looking = false;
  };
  const timer = setInterval(() => void look(), everyMs);
  return () => clearInterval(timer);
}

class Loop {
  readonly wakeUp: WakeUp = createWakeUp();
  /** What is to be read next; null: the partition is not claimed. */
  next: bigint | null = null;
  /** Monotonic milliseconds since when a claim is due without an answer; null: claimed, or declined. */
  due: number | null | undefined;
  private readonly inbox: Inbox;
  /** The log may hold what was not handed over. */
  private isBehind = true;

  constructor(
    private readonly source: PartitionSource,
    private readonly consumer: PartitionConsumer,
    private readonly options: ReadOptions,
    readonly partition: number,
    private readonly closing: AbortSignal,
  ) {
    this.inbox = new Inbox(partition);
  }

  wake(): void {
    this.isBehind = true;
    this.wakeUp.ring();
  }

  hand(records: readonly LogRecord[]): void {
    if (!this.inbox.hand(records)) this.isBehind = true;
    this.wakeUp.ring();
  }

  async run(): Promise<void> {
    const { partition, consumer, options, closing, wakeUp } = this;
    let backoff = BACKOFF_MIN_MS;
    const succeeded = () => {
      backoff = BACKOFF_MIN_MS;
    };
    while (!closing.aborted) {
      let held = false;
      this.due = this.due ?? performance.now();
      try {
        this.next = await consumer.claim(partition);
        held = this.next !== null;
        this.due = null;
        if (held) await this.readOn(succeeded);
        this.lost(held);
        if (!closing.aborted) await wakeUp.pause(options.pollMs, closing);
      } catch (error) {
        this.lost(held);
        options.onError?.(error, partition);
        await wakeUp.pause(backoff, closing);
        backoff = Math.min(backoff * 2, BACKOFF_MAX_MS);
      }
    }
  }

  private lost(held: boolean): void {
    this.next = null;
    this.inbox.close();
    if (held) this.consumer.lost(this.partition);
  }

  /** Until the partition is lost. */
  private async readOn(succeeded: () => void): Promise<void> {
    const { consumer, options, closing, wakeUp, inbox } = this;
    inbox.open();
    this.isBehind = true;
    let ahead: Promise<LogBatch> | undefined;
    while (this.next !== null && !closing.aborted) {
      const next = this.next;
      const heard = wakeUp.heard();
      const handed = ahead ? undefined : inbox.take(next, options.fetchSize);
      const batch = handed ?? (await (ahead ?? this.readIfBehind(next)));
      ahead = undefined;
      if (closing.aborted) return;
      if (!batch || (batch.records.length === 0 && batch.nextOffset === next)) {
        const rung = await wakeUp.wait(heard, options.pollMs);
        this.isBehind ||= !rung && !this.source.heads;
        if (!consumer.holds(this.partition)) return;
        continue;
      }
      // Of a backlog the next part is fetched while this one is taken; of no use where the consumer goes on elsewhere.
      if (!handed && batch.nextOffset < batch.highWatermark) {
        ahead = this.read(batch.nextOffset);
        ahead.catch(() => undefined); // Whoever awaits it hears of it.
      }
      this.next = await consumer.consume(batch);
      if (this.next !== batch.nextOffset) {
        ahead = undefined;
        this.isBehind = true;
      }
      succeeded();
    }
  }

  private async readIfBehind(next: bigint): Promise<LogBatch | undefined> {
    return this.isBehind || this.inbox.isAheadOf(next) ? this.read(next) : undefined;
  }

  private async read(from: bigint): Promise<LogBatch> {
    // Before the reading: what is appended while it runs is not in it.
    this.isBehind = false;
    const batch = await this.source.read(this.partition, from, this.options.fetchSize);
    if (batch.nextOffset < batch.highWatermark) this.isBehind = true;
    return batch;
  }
}

const bounded = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms).unref());
