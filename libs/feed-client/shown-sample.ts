/** Which frames a client tells the server about once they were painted. A sample: a hall of phones must not answer each vote. */
import type { ClientClass, Frame, Shown } from '#libs/protocol';

/** Of a phone's frames, one in so many; walls and desks are few, and tell of each second's newest. */
const PHONES_ONE_IN = 20;
const EVERY_MS = 1_000;
/** Painted later than that: nobody looked, a browser draws no hidden page. */
const HIDDEN_MS = 10_000;

export class ShownSample {
  private waiting: { readonly frame: Frame; readonly at: number } | undefined;
  private last = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly cls: ClientClass,
    private readonly random: () => number,
  ) {}

  /** A frame that was applied, at a monotonic time in milliseconds. */
  arrived(frame: Frame, now: number): void {
    // A snapshot shows what is old; only changes tell how fast the road is.
    if (!frame.appendedAt || frame.from === null || this.waiting || now - this.last < EVERY_MS) return;
    if (this.cls === 'phone' && this.random() * PHONES_ONE_IN >= 1) return;
    this.waiting = { frame, at: now };
  }

  /** What to tell now that everything applied so far is on the glass. */
  painted(now: number): Shown | null {
    if (!this.waiting) return null;
    const { frame, at } = this.waiting;
    this.waiting = undefined;
    this.last = now;
    if (now - at > HIDDEN_MS) return null;
    return {
      channel: frame.channel,
      to: frame.to,
      appendedAt: frame.appendedAt ?? 0,
      took: Math.round(now - at),
      ...(frame.traceparent ? { traceparent: frame.traceparent } : {}),
    };
  }
}
