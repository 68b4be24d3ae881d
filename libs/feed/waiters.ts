import { defineLimit } from '#libs/limits';

interface Waiter {
  readonly at: number;
  /** Let go before the others of the same step. */
  readonly isFirst: boolean;
  readonly finish: (met: boolean) => void;
}

/** Who may wait for one conference at once; beyond, the answer is "not in time" at once (I9). */
export const MAX_WAITERS_PER_CONFERENCE = defineLimit({
  name: 'feed.waiters.conference',
  value: 10_000,
  unit: 'requests',
  beyond: 'the answer is "not in time" at once',
});

/** Those who wait for a number to be reached, in its order: what a step costs depends on whom it lets go, not on how many wait. */
export class Waiters {
  readonly #waiting: Waiter[] = [];
  readonly #isMet: (at: number, value: number) => boolean;

  /** @param isMet monotonic: met at one value, it is met at every greater one */
  constructor(isMet: (at: number, value: number) => boolean) {
    this.#isMet = isMet;
  }

  get size(): number {
    return this.#waiting.length;
  }

  /**
   * @param isFirst  let go before others that are met by the same step (a desk before the audience)
   * @returns whether it was reached within `timeoutMs`
   */
  wait(at: number, timeoutMs: number, isFirst = false): Promise<boolean> {
    if (this.#waiting.length >= MAX_WAITERS_PER_CONFERENCE) return Promise.resolve(false);
    return new Promise((resolve) => {
      const waiter: Waiter = {
        at,
        isFirst,
        finish(met) {
          clearTimeout(timer);
          resolve(met);
        },
      };
      const timer = setTimeout(() => {
        this.#remove(waiter);
        resolve(false);
      }, timeoutMs);
      this.#waiting.splice(this.#placeAfter(at), 0, waiter);
    });
  }

  reach(value: number): void {
    let count = 0;
    for (const { at } of this.#waiting) {
      if (!this.#isMet(at, value)) break;
      count++;
    }
    if (count === 0) return;
    const met = this.#waiting.splice(0, count);
    for (const { isFirst, finish } of met) if (isFirst) finish(true);
    for (const { isFirst, finish } of met) if (!isFirst) finish(true);
  }

  /** Lets everybody go, unmet. */
  end(): void {
    for (const { finish } of this.#waiting.splice(0)) finish(false);
  }

  /** Index behind all that wait for as much or less. Most wait for what is newest: the last place is tried first. */
  #placeAfter(at: number): number {
    let low = 0;
    let high = this.#waiting.length;
    if ((this.#waiting[high - 1]?.at ?? Number.NEGATIVE_INFINITY) <= at) return high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#waiting[middle] as Waiter).at <= at) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #remove(waiter: Waiter): void {
    for (let index = this.#placeAfter(waiter.at) - 1; index >= 0; index--) {
      if (this.#waiting[index] !== waiter) continue;
      this.#waiting.splice(index, 1);
      return;
    }
  }
}
