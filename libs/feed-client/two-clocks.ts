/**
 * The server's time and the age of what was heard, on two clocks of the device that check each other. The monotonic clock cannot be set,
 * but stands still during sleep on some devices; the wall clock goes on during sleep, but can be set. So the server's time runs by the
 * monotonic one, and an age is the larger of the two.
 */

/** A difference between the clocks that is no drift. */
const DISAGREE_MS = 1_000;

/** Monotonic milliseconds, and this device's time in milliseconds since 1970. */
interface Reading {
  readonly now: number;
  readonly wall: number | undefined;
}

export class TwoClocks {
  private server: { readonly at: number; readonly now: number } | null = null;
  private heard: Reading | null = null;
  private looked: { readonly now: number; readonly wall: number } | null = null;

  /** Something came from the server. @param serverAt its time, milliseconds since 1970, where it said one */
  hear(now: number, wall: number | undefined, serverAt?: number): void {
    this.heard = { now, wall };
    if (serverAt !== undefined) this.server = { at: serverAt, now };
    if (wall !== undefined) this.looked = { now, wall };
  }

  /** Milliseconds since the server was heard. @param wall left out: by the monotonic clock alone */
  age(now: number, wall?: number): number | null {
    if (!this.heard) return null;
    const byWall = wall === undefined || this.heard.wall === undefined ? 0 : wall - this.heard.wall;
    return Math.max(now - this.heard.now, byWall);
  }

  /** Milliseconds since 1970; null until the server said it. */
  serverNow(now: number): number | null {
    return this.server && this.server.at + (now - this.server.now);
  }

  /** Since the last look one clock went on and the other did not: the device slept, or its clock was set. Said once. */
  disagree(now: number, wall: number): boolean {
    const before = this.looked;
    this.looked = { now, wall };
    return before !== null && Math.abs(wall - before.wall - (now - before.now)) > DISAGREE_MS;
  }
}
