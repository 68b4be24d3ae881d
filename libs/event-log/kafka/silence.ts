import { setTimeout as wait } from 'node:timers/promises';

const LOOK_MS = 500;

/** Resolves when the last sign (and this call) is too long ago, or at the signal's end. */
export async function silence(lastSign: () => number, atMostMs: number, until: AbortSignal): Promise<string> {
  const since = performance.now();
  while (!until.aborted && performance.now() - Math.max(lastSign(), since) < atMostMs) await pause(LOOK_MS, until);
  return `no sign of life for ${atMostMs} ms`;
}

/** Ends early, and quietly, with the signal. */
export const pause = (ms: number, until: AbortSignal): Promise<void> =>
  wait(ms, undefined, { signal: until }).catch(() => undefined);
