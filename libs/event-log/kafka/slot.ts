/** One partition of a member: how far it was delivered, and the order in which claims and batches take turns. */
export interface Slot {
  readonly partition: number;
  /** Offset to deliver next; null while not claimed. */
  next: bigint | null;
  /** Not ours yet: offered again and again. */
  declined: boolean;
  /** What stands there cannot be read, and will hardly change: not offered for a while. */
  halted: boolean;
  /** Monotonic milliseconds since when a claim is due. */
  dueSince: number;
  turn: Promise<unknown>;
  retryMs: number;
}

const RETRY_MIN_MS = 50;
const RETRY_MAX_MS = 2_000;

export const createSlot = (partition: number): Slot => ({
  partition,
  next: null,
  declined: false,
  halted: false,
  dueSince: performance.now(),
  turn: Promise.resolve(),
  retryMs: RETRY_MIN_MS,
});

/** Neither claimed nor declined nor halted: an answer is waited for. */
export const isDue = ({ next, declined, halted }: Slot): boolean => next === null && !declined && !halted;

export function inTurn<T>(slot: Slot, work: () => Promise<T>): Promise<T> {
  const run = slot.turn.then(work);
  slot.turn = run.catch(() => undefined); // Its caller hears of the failure; the next turn only waits for the end.
  return run;
}

/** Milliseconds until the next try; each longer than the one before. */
export function backOff(slot: Slot): number {
  const now = slot.retryMs;
  slot.retryMs = Math.min(now * 2, RETRY_MAX_MS);
  return now;
}

/** A batch was taken. A claim alone proves nothing: what fails in each batch would be tried again at once, for ever. */
export function succeeded(slot: Slot): void {
  slot.retryMs = RETRY_MIN_MS;
}
