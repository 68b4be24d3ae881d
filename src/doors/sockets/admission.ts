/** Who may open a socket at all: overload is refused before the upgrade, so that a storm costs little. Pure; time is an argument. */
import type { ClientClass } from '#libs/protocol';

export interface AdmissionLimits {
  readonly maxSockets: number;
  /** Share of `maxSockets` that phones cannot take: walls and desks always find a place. */
  readonly reservedShare: number;
  /** New sockets a second, by class; bursts of twice as many. */
  readonly perSecond: Readonly<Record<ClientClass, number>>;
}

export const DEFAULT_LIMITS: AdmissionLimits = {
  maxSockets: 20_000,
  reservedShare: 0.1,
  perSecond: { phone: 400, screen: 200, desk: 200 },
};

export class Admission {
  private readonly buckets = new Map<ClientClass, TokenBucket>();

  constructor(private readonly limits: AdmissionLimits = DEFAULT_LIMITS) {
    for (const cls of ['screen', 'desk', 'phone'] as const)
      this.buckets.set(cls, new TokenBucket(limits.perSecond[cls], limits.perSecond[cls] * 2));
  }

  /** Milliseconds in which so many sockets of a class can come back. */
  spread(cls: ClientClass, sockets: number): number {
    return Math.ceil((sockets / this.limits.perSecond[cls]) * 1_000);
  }

  /** @param now monotonic milliseconds */
  admit(cls: ClientClass, sockets: number, now: number): boolean {
    const { maxSockets, reservedShare } = this.limits;
    const places = cls === 'phone' ? Math.floor(maxSockets * (1 - reservedShare)) : maxSockets;
    return sockets < places && (this.buckets.get(cls)?.take(now) ?? false);
  }
}

export class TokenBucket {
  private tokens: number;
  private at: number | undefined;

  constructor(
    private readonly perSecond: number,
    private readonly size: number,
  ) {
    this.tokens = size;
  }

  /** @param now monotonic milliseconds */
  take(now: number, count = 1): boolean {
    this.tokens = Math.min(this.size, this.tokens + ((now - (this.at ?? now)) / 1_000) * this.perSecond);
    this.at = now;
    if (this.tokens < count) return false;
    this.tokens -= count;
    return true;
  }
}
