/** A latch for wake-ups: one that arrives between two waits is remembered, so that none is lost. */
export interface WakeUp {
  ring(): void;
  /** Wake-ups so far; handed to `wait` it says which ones are known already. */
  heard(): number;
  /** Resolves at the first wake-up after `since`, or after so many milliseconds. @returns whether it was a wake-up */
  wait(since: number, atMostMs: number): Promise<boolean>;
  /** A pause that wake-ups do not shorten. */
  pause(ms: number, until: AbortSignal): Promise<void>;
}

export function createWakeUp(): WakeUp {
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
    async wait(since, atMostMs) {
      if (rings === since) await sleep(atMostMs);
      return rings !== since;
    },
    async pause(ms, until) {
      const end = performance.now() + ms;
      // Wake-ups end a wait for records, not a pause between offers: else every append would be an offer.
      while (!until.aborted && performance.now() < end) await sleep(end - performance.now());
    },
  };
}
