/**
 * One kafkajs consumer from its first join to its end, alone in a group of its own: who reads which partition is agreed in Postgres,
 * by claims. On each join all partitions are paused before the first fetch, claimed, set to the claimed offset and resumed; what an
 * earlier join began is dropped. kafkajs's own committed offsets decide nothing.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Consumer, Kafka } from 'kafkajs';
import type { Logger } from '#libs/postgres';
import type { PartitionConsumer } from '../port.js';
import { Delivery, type Holder } from './delivery.js';
import { outside } from './guard.js';
import type { Liveness } from './liveness.js';
import { createPinWatch, type PinWatch } from './pin-watch.js';
import type { PinnedTopic } from './pinned-topic.js';
import type { ReadMarks } from './read-marks.js';
import { backOff, createSlot, inTurn, isDue, type Slot } from './slot.js';
import { Steering } from './steering.js';

export interface Timing {
  /** After so long without a heartbeat the broker forgets a member. */
  readonly sessionMs: number;
  readonly heartbeatMs: number;
}

export interface MemberOptions {
  readonly kafka: Kafka;
  readonly topic: PinnedTopic;
  /** Its own group's name begins with it. */
  readonly group: string;
  readonly marks: ReadMarks;
  readonly consumer: PartitionConsumer;
  /** Kept from one member of the subscription to the next: their calls for one partition do not overlap either. */
  readonly slots: Map<number, Slot>;
  /** Is the topic still the pinned one? @throws LogChanged, LogUnavailable */
  readonly verify: () => Promise<unknown>;
  readonly logger: Logger;
  readonly timing: Timing;
  readonly partitionsAtOnce: number;
  /** Told of each sign of life, and of joins that are due. */
  readonly liveness: Liveness;
  /** Something showed that this member reads, or could. */
  readonly onSign: () => void;
  /** null: it is over. */
  readonly onAlarm: (place: string, reason: string | null) => void;
}

const WHOLE_TOPIC = 'topic';
const placeOf = (partition: number): string => `partition ${partition}`;
const FETCH_WAIT_MS = 200;
const REBALANCE_MS = 10_000;
const LEAVE_MS = 5_000;
const OFFER_EVERY_MS = 500;
/** Another replica may lead by then. */
const UNREADABLE_MS = 60_000;

export class Member implements Holder {
  readonly #consumer: Consumer;
  readonly #steering: Steering;
  #assigned: readonly number[] = [];
  readonly #offers = setInterval(() => this.#tick(), OFFER_EVERY_MS);
  #era = 0;
  #closed = false;
  readonly #watch: PinWatch;
  /** Resolves when kafkajs has given up. */
  readonly ended: Promise<string>;

  constructor(private readonly options: MemberOptions) {
    const { kafka, topic, group, timing, logger } = options;
    this.#consumer = kafka.consumer({
      groupId: `${group}-${randomUUID()}`,
      sessionTimeout: timing.sessionMs,
      heartbeatInterval: timing.heartbeatMs,
      rebalanceTimeout: REBALANCE_MS,
      maxWaitTimeInMs: FETCH_WAIT_MS,
      maxBytes: 2 * 1024 * 1024,
      maxBytesPerPartition: 512 * 1024,
      allowAutoTopicCreation: false,
      // Every crash ends this member; its supervisor builds the next one.
      retry: { retries: 3, initialRetryTime: 100, maxRetryTime: 1_000, restartOnFailure: async () => false },
    });
    this.#watch = createPinWatch({ verify: options.verify, onLook: (changed) => this.#looked(changed) });
    this.#steering = new Steering(this.#consumer, topic, logger);
    const { events, on } = this.#consumer;
    on(events.GROUP_JOIN, ({ payload }) => this.#joined(payload.memberAssignment[topic.name] ?? []));
    on(events.REBALANCING, () => this.#closed || this.#rebalancing());
    on(events.HEARTBEAT, () => this.#beat());
    on(events.FETCH, () => this.sign());
    this.ended = new Promise((resolve) => {
      on(events.CRASH, ({ payload }) => resolve(payload.error.message));
    });
  }

  /** @throws kafkajs errors: Kafka cannot be reached */
  async start(): Promise<void> {
    const { topic, consumer, marks, logger, timing, partitionsAtOnce } = this.options;
    const steering = this.#steering;
    const { heartbeatMs } = timing;
    const delivery = new Delivery({ topic, consumer, steering, marks, logger, heartbeatMs, holder: this });
    await this.#consumer.connect();
    await this.#consumer.subscribe({ topic: topic.name, fromBeginning: true });
    await this.#consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: partitionsAtOnce,
      eachBatch: (payload) => delivery.eachBatch(payload),
    });
  }

  /** Waits for what is in hand (bounded), leaves the group, and lets go of all partitions. Never throws. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#offers);
    const turns = [...this.options.slots.values()].map(({ turn }) => turn);
    const late = new AbortController();
    await Promise.race([
      Promise.allSettled([this.#consumer.disconnect(), ...turns]),
      wait(LEAVE_MS, undefined, { signal: late.signal }).catch(() => undefined),
    ]);
    late.abort();
    this.#left();
  }

  /** Runs inside kafkajs's join, before its first fetch: only what is done synchronously here comes before that. */
  #joined(partitions: readonly number[]): void {
    // One that kafkajs let in after its end: the slots are its successor's by now.
    if (this.#closed) return;
    this.#left();
    this.options.liveness.joined();
    this.options.onSign();
    this.#assigned = partitions;
    if (partitions.length === 0) return;
    this.#watch.forget();
    this.#steering.pause(partitions);
    this.#offer(() => true);
  }

  #rebalancing(): void {
    this.options.liveness.rebalancing();
    this.#left();
  }

  /** By the end of a member, or of its part in the group. */
  #left(): void {
    this.#era += 1;
    this.#assigned = [];
    for (const slot of this.options.slots.values()) this.release(slot);
  }

  #beat(): void {
    if (this.#closed) return;
    this.sign();
    this.#inspect().catch((err) => this.options.logger.debug({ err }, 'the topic could not be looked at'));
  }

  #tick(): void {
    for (const slot of this.#assigned.map((partition) => this.slot(partition))) {
      if (slot.next === null || this.options.consumer.holds(slot.partition)) continue;
      this.release(slot);
      this.offerAgain(slot);
    }
    this.#offer(({ declined }) => declined);
  }

  #offer(which: (slot: Slot) => boolean): void {
    for (const slot of this.#assigned.map((partition) => this.slot(partition)).filter(which)) {
      slot.declined = false;
      slot.halted = false;
      slot.dueSince = performance.now();
      this.#claimInTurn(slot, this.#era);
    }
  }

  #claimInTurn(slot: Slot, era: number): void {
    inTurn(slot, () => this.#claim(slot, era)).catch((err) =>
      this.options.logger.error({ err }, 'a claim failed: a bug'),
    );
  }

  async #claim(slot: Slot, era: number): Promise<void> {
    const { consumer, topic, logger } = this.options;
    const { partition } = slot;
    const isStale = () => era !== this.#era || this.#closed;
    if (isStale() || slot.next !== null) return;
    let claimed: bigint | null = null;
    try {
      claimed = (await this.isPinned()) ? await consumer.claim(partition) : null;
      const reason = claimed === null ? null : outside(partition, claimed, await topic.watermarks(partition));
      if (claimed !== null && reason === null && !isStale()) return this.#take(slot, claimed);
      if (claimed !== null) consumer.lost(partition);
      if (reason) return this.halt(slot, reason);
      // Whoever has it now says what is wrong with it.
      if (claimed === null) this.options.onAlarm(placeOf(partition), null);
      this.offerAgain(slot);
    } catch (err) {
      if (claimed !== null) consumer.lost(partition);
      logger.warn({ err, partition }, 'a partition could not be claimed; trying again');
      this.offerAfterPause(slot, era);
    }
  }

  #take(slot: Slot, claimed: bigint): void {
    slot.next = claimed;
    this.options.onAlarm(placeOf(slot.partition), null);
    this.#steering.seek(slot.partition, claimed);
    this.#steering.resume(slot.partition);
  }

  isPinned(): Promise<boolean> {
    return this.#watch.isPinned();
  }

  #looked(changed: string | null): void {
    if (this.#closed) return;
    this.options.onAlarm(WHOLE_TOPIC, changed);
    if (changed !== null)
      for (const slot of this.options.slots.values()) {
        this.release(slot);
        this.offerAgain(slot);
      }
  }

  /** What is idle is not fetched from the middle: a log that was truncated under it would be seen with the next record only. */
  async #inspect(): Promise<void> {
    const era = this.#era;
    if (!(await this.isPinned())) return;
    const inspect = async (slot: Slot) => {
      const expected = slot.next;
      if (expected === null) return;
      const reason = outside(slot.partition, expected, await this.options.topic.watermarks(slot.partition));
      if (reason === null || era !== this.#era || slot.next !== expected || this.#closed) return;
      this.release(slot);
      this.halt(slot, reason);
    };
    await Promise.all([...this.options.slots.values()].map(inspect));
  }

  slot(partition: number): Slot {
    const slot = this.options.slots.get(partition) ?? createSlot(partition);
    this.options.slots.set(partition, slot);
    return slot;
  }

  era(): number {
    return this.#era;
  }

  isClosed(): boolean {
    return this.#closed;
  }

  /** Partitions that are offered, with the milliseconds for which a claim has been due. */
  assigned(): ReadonlyMap<number, number> {
    const now = performance.now();
    const slots = this.#assigned.map((partition) => this.slot(partition));
    return new Map(slots.map((slot) => [slot.partition, isDue(slot) ? now - slot.dueSince : 0]));
  }

  release(slot: Slot): void {
    if (slot.next === null) return;
    slot.next = null;
    slot.dueSince = performance.now();
    this.#steering.pause([slot.partition]);
    this.options.consumer.lost(slot.partition);
  }

  offerAgain(slot: Slot): void {
    slot.declined = true;
  }

  offerAfterPause(slot: Slot, era: number): void {
    setTimeout(() => this.#claimInTurn(slot, era), backOff(slot)).unref();
  }

  halt(slot: Slot, reason: string, isUnreadable = false): void {
    this.options.onAlarm(placeOf(slot.partition), reason);
    slot.halted = isUnreadable;
    if (isUnreadable) setTimeout(() => this.offerAgain(slot), UNREADABLE_MS).unref();
    else this.offerAgain(slot);
  }

  /** An alarm until this process ends: nobody can bring the records back, and a hole is met once. */
  missing(partition: number, reason: string): void {
    this.options.onAlarm(`hole of ${placeOf(partition)}`, `${reason}. docs/operations.md, "The topic loses events"`);
  }

  sign(): void {
    if (this.#closed) return;
    this.options.liveness.sign();
    this.options.onSign();
  }
}
