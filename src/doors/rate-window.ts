/** Fixed windows by a clock that never jumps: a wall clock that is put right must not lock people out for as long as it was wrong. */

import { LRUCache } from 'lru-cache';
import { defineLimit } from '#libs/limits';
import { Refusal } from '#libs/protocol';

/** Windows that are remembered at once per limit; beyond, the one used longest ago is forgotten (I9). */
export const MAX_RATE_WINDOWS = defineLimit({
  name: 'rates.windows',
  value: 100_000,
  unit: 'entries',
  beyond: 'of each rate the window used longest ago is forgotten',
});

interface Window {
  spent: number;
}

export interface RateLimit {
  readonly points: number;
  readonly perSeconds: number;
}

export class RateWindows {
  private readonly windows: LRUCache<string, Window>;

  /** @param clock monotonic milliseconds */
  constructor(
    private readonly limit: RateLimit,
    clock: { now(): number } = performance,
  ) {
    this.windows = new LRUCache({
      max: MAX_RATE_WINDOWS,
      ttl: limit.perSeconds * 1_000,
      ttlResolution: 0,
      noUpdateTTL: true,
      perf: clock,
    });
  }

  /** @throws Refusal rate-limited, with the time until the window ends */
  spend(key: string, message?: string): void {
    const window = this.windows.get(key);
    if (!window) {
      this.windows.set(key, { spent: 1 });
      return;
    }
    if (window.spent >= this.limit.points)
      throw new Refusal('rate-limited', message, Math.max(1, Math.ceil(this.windows.getRemainingTTL(key))));
    window.spent += 1;
  }

  /** Takes one back. */
  refund(key: string): void {
    const window = this.windows.get(key);
    if (window && window.spent > 0) window.spent -= 1;
  }
}
