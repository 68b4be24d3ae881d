/**
 * Appends through one idempotent producer: one request in flight, many commands in it. A send that fails has an unknown outcome:
 * it is sent again through a new producer, under the same command ids, until its time is up. If both arrived, the fold acts on
 * the first only (I13).
 */

import { setTimeout as wait } from 'node:timers/promises';
import kafkajs, { type Kafka, type Message, type Producer, type RecordMetadata } from 'kafkajs';
import { defineLimit } from '#libs/limits';
import type { Logger } from '#libs/postgres';
import { CommandTooLarge } from '../codec.js';
import { type Lane, LaneQueue, Pace } from '../lanes.js';
import { LogChanged, LogUnavailable, type Position, type RecordToAppend } from '../port.js';
import { REQUEST_MS } from './client.js';
import { toMessage, weightOf } from './records.js';

export interface AppenderOptions {
  readonly kafka: Kafka;
  readonly topic: string;
  /** Before the first send through each new producer. @throws LogUnavailable, LogChanged */
  readonly verify: () => Promise<unknown>;
  readonly logger: Logger;
  /** Milliseconds after which an append is given up; default 8 s. */
  readonly giveUpMs?: number;
}

export interface Appender {
  /** @throws LogUnavailable, CommandTooLarge */
  append(key: string, partition: number, records: readonly RecordToAppend[], lane?: Lane): Promise<Position>;
  close(): Promise<void>;
}

interface Entry {
  readonly partition: number;
  readonly messages: readonly Message[];
  readonly weight: number;
  readonly lane: Lane;
  readonly timer: NodeJS.Timeout;
  over: boolean;
  resolve(position: Position): void;
  reject(error: Error): void;
}

const EVERY_MS = 5;
/** Below the broker's default for a record batch (1 MB), above the largest command (512 KB). */
const BATCH_BYTES = defineLimit({
  name: 'kafka.produce.batch.size',
  value: 900 * 1024,
  unit: 'bytes',
  beyond: 'the next request takes the rest',
});
const BATCH_RECORDS = defineLimit({
  name: 'kafka.produce.batch.records',
  value: 500,
  unit: 'records',
  beyond: 'the next request takes the rest',
});
/** Of them so many of bulk commands, or one such command (D8). */
const BATCH_BULK_RECORDS = 50;
const QUEUE_BYTES = defineLimit({
  name: 'kafka.produce.queue.size',
  value: 32 * 1024 * 1024,
  unit: 'bytes',
  beyond: 'the command is refused with 104',
});
/** In each lane. */
const QUEUE_COMMANDS = defineLimit({
  name: 'kafka.produce.queue.commands',
  value: 10_000,
  unit: 'commands',
  beyond: 'the command is refused with 104',
});
const GIVE_UP_MS = defineLimit({
  name: 'kafka.produce.time',
  value: 8_000,
  unit: 'ms',
  beyond: 'the command is refused with 104; its outcome is unknown',
});
const BACKOFF_MIN_MS = 100;
const BACKOFF_MAX_MS = 1_000;
const FOREVER_MS = 15_000;
const VERIFY_EVERY_MS = 1_000;

export const createAppender = (options: AppenderOptions): Appender => new KafkaAppender(options);

class KafkaAppender implements Appender {
  readonly #queue = new LaneQueue<Entry>();
  readonly #pace = new Pace(EVERY_MS);
  #queued = 0;
  #pumping: Promise<void> | undefined;
  #producer: Producer | undefined;
  /** After a failure commands go one by one: one that the broker will never take must not stop its neighbours. */
  #alone = false;
  /** Why nothing can be appended until an operator acts, as it was last said. */
  #changed: string | undefined;
  #backoff = BACKOFF_MIN_MS;
  #verifiedAt = 0;
  /** Offset after the last one that each partition gave us. */
  readonly #ends = new Map<number, bigint>();
  #closed = false;

  constructor(private readonly options: AppenderOptions) {}

  append(
    key: string,
    partition: number,
    records: readonly RecordToAppend[],
    lane: Lane = 'attendee',
  ): Promise<Position> {
    const weight = records.reduce((sum, record) => sum + weightOf(record), 0);
    if (this.#closed) return Promise.reject(new LogUnavailable('this process is about to stop'));
    if (this.#queue.sizeOf(lane) >= QUEUE_COMMANDS || this.#queued + weight > QUEUE_BYTES)
      return Promise.reject(new LogUnavailable('too many appends are waiting for Kafka'));
    const now = Date.now();
    return new Promise((resolve, reject) => {
      const entry: Entry = {
        partition,
        messages: records.map((record) => toMessage(key, partition, record, now)),
        weight,
        lane,
        timer: setTimeout(
          () => finish(entry, () => reject(new LogUnavailable('Kafka did not answer in time'))),
          this.options.giveUpMs ?? GIVE_UP_MS,
        ),
        over: false,
        resolve,
        reject,
      };
      this.#queue.push(lane, entry);
      this.#queued += weight;
      if (lane === 'interactive') this.#pace.hurry();
      this.#pumping ??= this.#pump();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#pumping;
    await this.#drop();
  }

  async #pump(): Promise<void> {
    while (this.#queue.size > 0) {
      const rest = this.#queued < BATCH_BYTES ? this.#pace.restBefore(this.#queue) : 0;
      if (rest > 0) await this.#pace.rest(rest);
      this.#pace.begun();
      const batch = this.#take();
      if (batch.length === 0) continue;
      try {
        const producer = await this.#ready();
        this.#settle(batch, await bounded(this.#send(producer, batch)));
        this.#alone = false;
        this.#changed = undefined;
        this.#backoff = BACKOFF_MIN_MS;
      } catch (error) {
        await this.#failed(batch, error);
      }
    }
    // In the same breath as the look at the queue: whoever comes later starts the next pump.
    this.#pumping = undefined;
  }

  async #failed(batch: readonly Entry[], error: unknown): Promise<void> {
    const { logger } = this.options;
    if (batch.length === 1 && isTooLarge(error)) {
      for (const entry of batch)
        finish(entry, () => entry.reject(new CommandTooLarge('the topic takes no such large command')));
      return;
    }
    if (error instanceof LogChanged) {
      // Whoever commands is told to try again; whoever operates, what to do, once.
      if (this.#changed !== error.message) logger.error({ topic: this.options.topic }, error.message);
      this.#changed = error.message;
      for (const entry of batch)
        finish(entry, () => entry.reject(new LogUnavailable('the log has changed', { cause: error })));
      await this.#drop();
      return;
    }
    logger.warn({ err: error, commands: batch.length }, 'appending to Kafka failed; trying again');
    this.#alone = true;
    for (const entry of batch.toReversed()) this.#queue.putBack(entry.lane, entry);
    this.#queued += batch.reduce((sum, { weight }) => sum + weight, 0);
    await this.#drop();
    await wait(this.#backoff);
    this.#backoff = Math.min(this.#backoff * 2, BACKOFF_MAX_MS);
  }

  #take(): readonly Entry[] {
    const batch: Entry[] = [];
    let [bytes, records, bulk] = [0, 0, 0];
    const fits = ({ weight, messages: { length }, over }: Entry, lane: Lane) =>
      over ||
      batch.length === 0 ||
      (!this.#alone &&
        bytes + weight <= BATCH_BYTES &&
        records + length <= BATCH_RECORDS &&
        (lane !== 'bulk' || bulk === 0 || bulk + length <= BATCH_BULK_RECORDS));
    for (;;) {
      const next = this.#queue.next(fits);
      if (!next) return batch;
      const { item: entry, lane } = next;
      this.#queued -= entry.weight;
      if (entry.over) continue;
      batch.push(entry);
      bytes += entry.weight;
      records += entry.messages.length;
      if (lane === 'bulk') bulk += entry.messages.length;
    }
  }

  /** A topic can be deleted and made anew under a producer that works on without a word: its identity is looked at often. */
  async #ready(): Promise<Producer> {
    if (!this.#producer) {
      this.#producer = this.#build();
      this.#verifiedAt = 0;
      await bounded(this.#producer.connect());
    }
    if (this.#verifiedAt === 0 || performance.now() - this.#verifiedAt > VERIFY_EVERY_MS) {
      await this.options.verify();
      this.#verifiedAt = performance.now();
    }
    return this.#producer;
  }

  #build(): Producer {
    return this.options.kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
      // A change of leader is bridged here; everything longer by building anew.
      retry: { retries: 3, initialRetryTime: 50, maxRetryTime: 500 },
    });
  }

  #send(producer: Producer, batch: readonly Entry[]): Promise<RecordMetadata[]> {
    const messages = batch.flatMap((entry) => entry.messages);
    return producer.send({ topic: this.options.topic, acks: -1, timeout: REQUEST_MS, messages });
  }

  /**
   * Records of one partition are one record batch, in the order of the commands.
   * @throws LogChanged if a partition went back
   */
  #settle(batch: readonly Entry[], sent: readonly RecordMetadata[]): void {
    for (const { partition, baseOffset } of sent) {
      const base = BigInt(baseOffset ?? -1);
      if (base < (this.#ends.get(partition) ?? 0n))
        throw new LogChanged(`201 partition ${partition} went back to ${base}: the topic was recreated or truncated`);
      this.#ends.set(partition, base);
    }
    for (const entry of batch) {
      const offset = this.#ends.get(entry.partition) ?? -1n;
      this.#ends.set(entry.partition, offset + BigInt(entry.messages.length));
      finish(entry, () => entry.resolve({ partition: entry.partition, offset }));
    }
  }

  async #drop(): Promise<void> {
    const producer = this.#producer;
    this.#producer = undefined;
    // Whatever a broken connection says about its end changes nothing.
    await bounded(producer?.disconnect() ?? Promise.resolve()).catch(() => undefined);
  }
}

function finish(entry: Entry, say: () => void): void {
  if (entry.over) return;
  entry.over = true;
  clearTimeout(entry.timer);
  say();
}

const isTooLarge = (error: unknown): boolean =>
  error instanceof Error && 'type' in error && error.type === 'MESSAGE_TOO_LARGE';

/** @throws LogUnavailable if kafkajs forgets a promise */
async function bounded<T>(work: Promise<T>): Promise<T> {
  const late = new AbortController();
  try {
    return await Promise.race([
      work,
      wait(FOREVER_MS, undefined, { signal: late.signal }).then(() => {
        throw new LogUnavailable('Kafka did not answer');
      }),
    ]);
  } finally {
    late.abort();
  }
}
