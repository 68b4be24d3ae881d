import { performance } from 'node:perf_hooks';
import { LRUCache } from 'lru-cache';
import { defineLimit } from '#libs/limits';

/** Conferences loaded at once: some connections of the pool must be left for the tail and for outcomes. */
export const MAX_LOADS_AT_ONCE = defineLimit({
  name: 'feed.loads',
  value: 2,
  unit: 'items',
  beyond: 'further conferences wait for their turn to be loaded',
});
/** A load that takes longer is given up, milliseconds. */
export const LOAD_WITHIN_MS = defineLimit({
  name: 'feed.load.time',
  value: 10_000,
  unit: 'ms',
  beyond: 'the load is given up, and refused with 103',
});
/** After a failure the next try waits, each time twice as long, milliseconds. */
export const LOAD_AGAIN_MS: readonly [first: number, longest: number] = [500, 30_000];
/** Conferences whose failures are remembered. */
const MAX_FAILED = defineLimit({
  name: 'feed.load.failed',
  value: 1_000,
  unit: 'entries',
  beyond: 'the oldest failure is forgotten',
});

interface Failure {
  readonly until: number;
  readonly pauseMs: number;
}

/** Thrown instead of trying again so soon. */
export class FailedBefore extends Error {
  override readonly name = 'FailedBefore';
}

/** Loads by name: one for all who ask, few at once, and one that hangs or fails holds up no other. */
export class Loads<T> {
  readonly #loading = new Map<string, Promise<T>>();
  readonly #failed = new LRUCache<string, Failure>({ max: MAX_FAILED });
  readonly #waiting: (() => void)[] = [];
  readonly #withinMs: number;
  #running = 0;

  constructor(withinMs = LOAD_WITHIN_MS) {
    this.#withinMs = withinMs;
  }

  /** @throws FailedBefore; what `load` throws; Error when it takes too long */
  run(name: string, load: () => Promise<T>): Promise<T> {
    const known = this.#loading.get(name);
    if (known) return known;
    const failure = this.#failed.get(name);
    if (failure && performance.now() < failure.until) return Promise.reject(new FailedBefore('it failed a moment ago'));
    const loading = this.#inTurn(name, load).finally(() => this.#loading.delete(name));
    this.#loading.set(name, loading);
    return loading;
  }

  /** Resolves when nothing is loaded any more. */
  async idle(): Promise<void> {
    while (this.#loading.size > 0) await Promise.allSettled(this.#loading.values());
  }

  async #inTurn(name: string, load: () => Promise<T>): Promise<T> {
    if (this.#running >= MAX_LOADS_AT_ONCE) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running++;
    try {
      const loaded = await this.#within(load());
      this.#failed.delete(name);
      return loaded;
    } catch (error) {
      const [first, longest] = LOAD_AGAIN_MS;
      const pauseMs = Math.min((this.#failed.get(name)?.pauseMs ?? first / 2) * 2, longest);
      this.#failed.set(name, { until: performance.now() + pauseMs, pauseMs });
      throw error;
    } finally {
      // The place goes to the next one.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    }
  }

  async #within(load: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`not within ${this.#withinMs} ms`)), this.#withinMs);
    });
    try {
      return await Promise.race([load, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}
