/** From kafkajs's batches to the consumer's: checked, in chunks, with heartbeats while one is in hand. */

import type { EachBatchPayload } from 'kafkajs';
import type { Logger } from '#libs/postgres';
import type { LogBatch, PartitionConsumer } from '../port.js';
import { judge } from './guard.js';
import { holeIn } from './holes.js';
import type { PinnedTopic } from './pinned-topic.js';
import type { ReadMarks } from './read-marks.js';
import { toLogRecord } from './records.js';
import { inTurn, type Slot, succeeded } from './slot.js';
import type { Steering } from './steering.js';

/** What a delivery needs of the member whose partitions it delivers. */
export interface Holder {
  slot(partition: number): Slot;
  /** Counts the joins: what was begun in an earlier one is dropped. */
  era(): number;
  isClosed(): boolean;
  /** Whether the topic is still the pinned one; if not, all partitions have been let go of. @throws LogUnavailable */
  isPinned(): Promise<boolean>;
  release(slot: Slot): void;
  offerAgain(slot: Slot): void;
  offerAfterPause(slot: Slot, era: number): void;
  /** @param isUnreadable it is not tried again for a while */
  halt(slot: Slot, reason: string, isUnreadable?: boolean): void;
  /** Kafka was read just now. */
  sign(): void;
  /** What is missing for good: said, and passed over. */
  missing(partition: number, reason: string): void;
}

export interface DeliveryOptions {
  readonly topic: PinnedTopic;
  readonly consumer: PartitionConsumer;
  readonly steering: Steering;
  readonly marks: ReadMarks;
  readonly logger: Logger;
  readonly heartbeatMs: number;
  readonly holder: Holder;
}

/** Longest run of records between two chances to let go; a command has at most 200. */
const CHUNK = 500;

export class Delivery {
  constructor(private readonly options: DeliveryOptions) {}

  /** Throws only what kafkajs must hear: that the group is rebalancing, or has forgotten this member. */
  async eachBatch(payload: EachBatchPayload): Promise<void> {
    const slot = this.options.holder.slot(payload.batch.partition);
    // Fetched before the partition was let go of. It is paused; nothing is waited for here, for a rejoin waits, too.
    if (slot.next === null) return;
    await inTurn(slot, async () => {
      const era = this.options.holder.era();
      if (await this.#isExpected(slot, payload, era)) await this.#deliver(slot, payload, era);
    });
  }

  async #isExpected(slot: Slot, { batch, isStale }: EachBatchPayload, era: number): Promise<boolean> {
    const { holder, steering, topic, logger } = this.options;
    const expected = slot.next;
    if (expected === null || isStale() || holder.isClosed()) return false;
    try {
      if (!(await holder.isPinned())) return false;
      const verdict = await judge(
        topic,
        slot.partition,
        topic.physical(slot.partition, expected),
        fetchedOffsetOf(batch),
        batch.messages[0],
      );
      if (era !== holder.era()) return false;
      if (verdict.kind === 'seek') steering.seek(slot.partition, expected);
      if (verdict.kind === 'halt') {
        holder.release(slot);
        holder.halt(slot, verdict.reason, verdict.isUnreadable);
      }
      return verdict.kind === 'take';
    } catch (err) {
      logger.warn({ err, partition: slot.partition }, 'a batch could not be checked; claiming anew');
      if (era === holder.era()) this.#letGo(slot, era);
      return false;
    }
  }

  async #deliver(slot: Slot, payload: EachBatchPayload, era: number): Promise<void> {
    const { holder, steering, marks } = this.options;
    const { batch } = payload;
    const hole = holeIn(batch, fetchedOffsetOf(batch));
    if (hole !== null) holder.missing(slot.partition, hole);
    const records = batch.messages.map(toLogRecord);
    const end = BigInt(batch.lastOffset()) + 1n;
    while (slot.next !== null && era === holder.era()) {
      const from: bigint = slot.next;
      const rest = records.filter(({ offset }) => offset >= from);
      const chunk = rest.slice(0, CHUNK);
      await this.#handOver(slot, era, payload, {
        partition: batch.partition,
        fetchedOffset: from,
        records: chunk,
        nextOffset: rest.length > chunk.length ? (chunk.at(-1)?.offset ?? from) + 1n : end,
        highWatermark: BigInt(batch.highWatermark),
      });
      // Back, or beyond what is in hand, is fetched; in between it goes on with what is in hand.
      if (slot.next === null || slot.next <= from || slot.next >= end || holder.isClosed()) break;
    }
    if (slot.next === null || era !== holder.era()) return;
    if (slot.next === end) payload.resolveOffset(batch.lastOffset());
    else steering.seek(slot.partition, slot.next);
    marks.note(slot.partition, slot.next);
  }

  /** The consumer's answer becomes `slot.next`. */
  async #handOver(slot: Slot, era: number, { heartbeat }: EachBatchPayload, batch: LogBatch): Promise<void> {
    const { holder, consumer, steering, logger } = this.options;
    const beats = keepBeating(heartbeat, this.options.heartbeatMs);
    try {
      const answer = await consumer.consume(batch);
      // Let go of meanwhile: it is offered anew, and the answer would make it look claimed while it is paused.
      if (slot.next !== null && era === holder.era()) {
        if (answer !== null) {
          slot.next = answer;
          succeeded(slot);
        } else {
          holder.release(slot);
          holder.offerAgain(slot);
        }
      }
    } catch (err) {
      logger.warn({ err, partition: slot.partition }, 'a batch was refused; claiming anew');
      if (slot.next !== null && era === holder.era()) this.#letGo(slot, era);
    } finally {
      beats.stop();
    }
    holder.sign();
    const failure = beats.failure();
    if (failure === undefined) return;
    if (slot.next !== null && era === holder.era()) steering.seek(slot.partition, slot.next);
    throw failure;
  }

  #letGo(slot: Slot, era: number): void {
    this.options.holder.release(slot);
    this.options.holder.offerAfterPause(slot, era);
  }
}

/** What was asked for; kafkajs has it and does not declare it. */
const fetchedOffsetOf = (batch: object): bigint => BigInt((batch as { readonly fetchedOffset: string }).fetchedOffset);

/** kafkajs beats only between batches: a long one would cost the membership. */
function keepBeating(heartbeat: () => Promise<void>, everyMs: number) {
  let failure: unknown;
  const timer = setInterval(() => {
    heartbeat().catch((error: unknown) => {
      failure = error;
    });
  }, everyMs);
  return { stop: () => clearInterval(timer), failure: () => failure };
}
