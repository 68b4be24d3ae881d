import { setTimeout as wait } from 'node:timers/promises';

/** Ends early, and quietly, with the signal. */
export const pause = (ms: number, until: AbortSignal): Promise<void> =>
  wait(ms, undefined, { signal: until }).catch(() => undefined);
