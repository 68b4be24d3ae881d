/**
 * When a copy that is complete, but not what the gateway has, is asked for again (SPEC B4): after a random part of a window of its class, at
 * most once a minute, and not again if a snapshot did not mend it. Pure; times are monotonic milliseconds.
 */

import type { ClientClass } from '#libs/protocol';

/** Whatever made one copy wrong made those of a hall wrong: they do not ask for all of it in one moment. */
export const HEAL_WITHIN_MS: Readonly<Record<ClientClass, number>> = { screen: 1_000, desk: 1_000, phone: 30_000 };
/** A copy is asked for again at most once in so many milliseconds. */
export const HEAL_EVERY_MS = 60_000;

export class SumHealing {
  /** When it is due; null: nothing is wrong, or nothing helps. */
  private dueAt: number | null = null;
  private healedAt: number | null = null;
  /** A snapshot has come since, and its sum was never the beacon's. */
  private unproved = false;
  private hopeless = false;

  /** It is known to be wrong, and a snapshot will be asked for. */
  get isDue(): boolean {
    return this.dueAt !== null;
  }

  /** The sums are the same. */
  agreed(): void {
    this.dueAt = null;
    this.unproved = false;
    this.hopeless = false;
  }

  /** Another epoch: what was wrong before says nothing of it. */
  restart(): void {
    this.agreed();
    this.healedAt = null;
  }

  /** The sums differ. @returns what is to be told: the first time, that a snapshot did not help, or nothing new */
  differs(now: number, delayMs: number): 'first' | 'again' | null {
    if (this.hopeless || this.dueAt !== null) return null;
    if (this.unproved) {
      this.hopeless = true;
      return 'again';
    }
    this.dueAt = Math.max(now + delayMs, (this.healedAt ?? Number.NEGATIVE_INFINITY) + HEAL_EVERY_MS);
    return 'first';
  }

  /** @returns true once it is due: the caller asks for a snapshot */
  take(now: number): boolean {
    if (this.dueAt === null || now < this.dueAt) return false;
    this.dueAt = null;
    this.healedAt = now;
    this.unproved = true;
    return true;
  }
}
