/**
 * Whether a consumer takes part in its group. A heartbeat and a fetch are signs of life only while no join is due: kafkajs says that the
 * group rebalances, fails to join (the coordinator is loading), tries again under the old membership, and its heartbeats go on for ever
 * without any partition being assigned.
 */
import type { Consumer } from 'kafkajs';
import { pause } from './pause.js';

/** A group that rebalances assigns partitions within this time, or its consumer is built again; longer than a rebalance may take (10 s). */
export const JOIN_WITHIN_MS = 15_000;
/** Without a sign of life for so long a consumer is built again. */
export const STALLED_MS = 30_000;

export interface LivenessLimits {
  readonly joinMs?: number;
  readonly stalledMs?: number;
}

const LOOK_MS = 500;

export class Liveness {
  #signAt = performance.now();
  #joinDueSince: number | null = null;
  readonly #joinMs: number;
  readonly #stalledMs: number;

  constructor({ joinMs = JOIN_WITHIN_MS, stalledMs = STALLED_MS }: LivenessLimits) {
    this.#joinMs = joinMs;
    this.#stalledMs = stalledMs;
  }

  /** A heartbeat was answered, something was fetched or dealt with. */
  sign(): void {
    if (this.#joinDueSince === null) this.#signAt = performance.now();
  }

  /** The group rebalances: only a join says that this consumer still takes part. */
  rebalancing(): void {
    this.#joinDueSince ??= performance.now();
  }

  /** Partitions, or none, were assigned. */
  joined(): void {
    this.#joinDueSince = null;
    this.sign();
  }

  /** Hears what kafkajs says of the consumer, until the signal's end: what comes later is nothing about its successor. */
  follow({ events, on }: Pick<Consumer, 'events' | 'on'>, until: AbortSignal): void {
    on(events.HEARTBEAT, () => until.aborted || this.sign());
    on(events.FETCH, () => until.aborted || this.sign());
    on(events.REBALANCING, () => until.aborted || this.rebalancing());
    on(events.GROUP_JOIN, () => until.aborted || this.joined());
  }

  /** Milliseconds since the last sign of life. */
  silentMs(): number {
    return performance.now() - this.#signAt;
  }

  /** Resolves with the reason once the consumer must be built again, or at the signal's end. Begins with a new consumer. */
  async untilStalled(until: AbortSignal): Promise<string> {
    const since = performance.now();
    this.#joinDueSince = null;
    while (!until.aborted) {
      const now = performance.now();
      if (now - (this.#joinDueSince ?? now) >= this.#joinMs)
        return `the group rebalances and assigned nothing for ${this.#joinMs} ms`;
      if (now - Math.max(this.#signAt, since) >= this.#stalledMs) return `no sign of life for ${this.#stalledMs} ms`;
      await pause(LOOK_MS, until);
    }
    return 'closing';
  }
}
