/**
 * The log port: one ordered log per partition, shaped by what Kafka can promise, so that the embedded log (Postgres), the
 * memory log and Kafka are interchangeable. What Kafka cannot do (lookup by id, refusing a repeated id) is not here.
 */

import type { Lane } from './lanes.js';

/** Bytes as they lie in the log. Headers keep their order; a header's value may be any bytes. */
export interface LogRecord {
  readonly offset: bigint;
  readonly key: string | null;
  readonly headers: ReadonlyMap<string, Buffer>;
  readonly value: Buffer | null;
  /** Milliseconds since 1970, stamped at append; the event time. */
  readonly timestamp: number;
}

export type RecordToAppend = Pick<LogRecord, 'headers' | 'value'> & {
  /** Only an import of another log gives it; otherwise the log stamps the record itself. */
  readonly timestamp?: number;
};

/** Position of an event: (partition, offset). */
export interface Position {
  readonly partition: number;
  readonly offset: bigint;
}

/**
 * Records in order, as fetched. May have holes (compaction, transaction markers), may be empty, may start before what was
 * asked for (redelivery); `fetchedOffset` says what was asked for, `nextOffset` where the next fetch goes (hidden records included).
 */
export interface LogBatch {
  readonly partition: number;
  readonly fetchedOffset: bigint;
  readonly records: readonly LogRecord[];
  readonly nextOffset: bigint;
  /** First offset that was not yet written when the batch was fetched. */
  readonly highWatermark: bigint;
}

export interface Watermarks {
  /** First offset still stored. */
  readonly low: bigint;
  /** Offset that the next record will get. */
  readonly high: bigint;
}

/**
 * One reader of partitions. All of them are offered to each reader: readers agree among themselves who takes which. All calls for one
 * partition come one after another, never overlapping, except `lost`, which may come at any time (then the result of a running call
 * is dropped by the adapter).
 */
export interface PartitionConsumer {
  /**
   * The adapter can read a partition and offers it. The answer is the offset to read from, or null: "not mine (yet)", upon which it
   * is offered again within half a second (a lease may have run out).
   */
  claim(partition: number): Promise<bigint | null>;
  /**
   * The answer is the offset to fetch next (usually `batch.nextOffset`; another one is a seek), or null: "no longer mine",
   * upon which the partition is offered anew. A rejection is transient: the adapter backs off and offers the partition anew.
   */
  consume(batch: LogBatch): Promise<bigint | null>;
  /**
   * Whether a claimed partition is still this consumer's. Asked from time to time, for where nothing is appended no batch would be
   * refused; if not, the adapter says `lost` and offers the partition anew, as after a refused batch. Synchronous; must not throw.
   */
  holds(partition: number): boolean;
  /** The partition was taken away or the subscription ends. Synchronous; must not throw. */
  lost(partition: number): void;
}

export interface SubscriptionStatus {
  /** Milliseconds since the log last showed that it can be read; 0 on logs that are not far away. */
  readonly silentMs: number;
  /** Why partitions stand still until an operator acts: truncated, recreated, another number of partitions. */
  readonly alarms: readonly string[];
  /**
   * Partitions that are offered to this reader, each with the milliseconds for which its claim has been due without an answer: it
   * fails again and again, or waits for a batch that hangs. 0: claimed, or declined.
   */
  readonly assigned: ReadonlyMap<number, number>;
}

export interface LogSubscription {
  status(): SubscriptionStatus;
  /** Ends reading; a batch in hand is waited for (bounded), then `lost` is called for each partition held. Idempotent. */
  close(): Promise<void>;
}

export interface EventLog {
  /** Fixed when the log is first made. */
  readonly partitions: number;
  /** Identity of what the offsets count: changes with a restore, an import, a recreated topic, a failover. */
  identity(): Promise<string>;
  /**
   * Appends the records of one command as one batch: contiguous offsets, all or nothing. While many wait, `lane` (default: attendee)
   * says who goes first; commands of one lane keep their order.
   * @returns position of the first record
   * @throws LogUnavailable when the outcome is unknown or the log cannot be reached (retry under the same command id)
   */
  append(key: string, records: readonly RecordToAppend[], lane?: Lane): Promise<Position>;
  /** Up to `limit` records from `from` on; an empty batch at the end of the log. */
  read(partition: number, from: bigint, limit: number): Promise<LogBatch>;
  watermarks(partition: number): Promise<Watermarks>;
  /** Why this log loses what has happened, also to those who do not read it: how its topic is set. */
  alarms(): readonly string[];
  /** @param group one word, under which the log's own tools (Kafka's) show how far was read */
  subscribe(consumer: PartitionConsumer, group: string): LogSubscription;
  /** Nobody reads under these names any more: the log's own tools need not show them. @throws errors of the log */
  forgetReaders(groups: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

export class LogUnavailable extends Error {
  override readonly name = 'LogUnavailable';
}

/**
 * What the offsets count is not what this database was folded from (recreated topic, other cluster, another number of partitions):
 * nothing is read or written until an operator decides.
 */
export class LogChanged extends Error {
  override readonly name = 'LogChanged';
}
