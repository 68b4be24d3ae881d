/**
 * Who may open a socket at all: overload is refused before the upgrade, so that a storm costs little. Places go by what a ticket or a
 * token proves, never by what a client calls itself. Time is an argument.
 */
import { defineLimit } from '#libs/limits';
import type { ClientClass } from '#libs/protocol';

export interface AdmissionLimits {
  readonly maxSockets: number;
  /** Share of `maxSockets` that phones cannot take: walls and desks always find a place. */
  readonly reservedShare: number;
  /** New sockets a second, by class; bursts of twice as many. */
  readonly perSecond: Readonly<Record<ClientClass, number>>;
}

export const DEFAULT_LIMITS: AdmissionLimits = {
  maxSockets: defineLimit({
    name: 'sockets.admitted',
    value: 20_000,
    unit: 'sockets',
    beyond: 'refused before the upgrade, or with 101',
    setting: 'HALLWAY_MAX_SOCKETS',
  }),
  reservedShare: 0.1,
  perSecond: { phone: 400, screen: 200, desk: 200 },
};

/** Sockets whose token is not known yet and that had no ticket, beside `maxSockets`. */
export const MAX_UNVERIFIED_SOCKETS = defineLimit({
  name: 'sockets.unverified',
  value: 500,
  unit: 'sockets',
  beyond: 'a socket without a ticket is refused before the upgrade',
});
/** How long one of them has until its token is known, milliseconds. */
export const UNVERIFIED_MS = defineLimit({
  name: 'sockets.unverified.time',
  value: 2_000,
  unit: 'ms',
  beyond: 'a socket without a ticket whose token is not known by then is closed',
});

/** One connection's. */
export interface Place {
  /** null: not known yet. */
  cls: ClientClass | null;
  readonly since: number;
}

export class Admission {
  private readonly buckets = new Map<ClientClass, TokenBucket>();
  private readonly unproven: TokenBucket;
  private readonly unverified = new Map<object, Place>();
  private readonly places = new Map<object, Place>();
  private phones = 0;

  constructor(private readonly limits: AdmissionLimits = DEFAULT_LIMITS) {
    for (const cls of ['screen', 'desk', 'phone'] as const)
      this.buckets.set(cls, new TokenBucket(limits.perSecond[cls], limits.perSecond[cls] * 2));
    this.unproven = new TokenBucket(limits.perSecond.phone, limits.perSecond.phone * 2);
  }

  /** Milliseconds in which so many sockets of a class can come back. */
  spread(cls: ClientClass, sockets: number): number {
    return Math.ceil((sockets / this.limits.perSecond[cls]) * 1_000);
  }

  /** @param cls of its ticket; null: it has none. @param now monotonic milliseconds */
  admit(connection: object, cls: ClientClass | null, now: number): boolean {
    if (cls === null) {
      if (this.unverified.size >= MAX_UNVERIFIED_SOCKETS || !this.unproven.take(now)) return false;
      this.unverified.set(connection, { cls, since: now });
      return true;
    }
    if (!this.hasRoom(cls) || !this.buckets.get(cls)?.take(now)) return false;
    this.take(connection, { cls, since: now });
    return true;
  }

  /** Its token is known: the place is one of that class from now on. @returns false: there is none */
  verify(connection: object, cls: ClientClass): boolean {
    const known = this.places.get(connection);
    if (known?.cls === cls) return true;
    const waiting = this.unverified.get(connection);
    // It is closed already, and has no place to give back.
    if (!known && !waiting) return false;
    this.leave(connection);
    if (!this.hasRoom(cls)) return false;
    this.take(connection, { cls, since: (known ?? waiting)?.since ?? 0 });
    return true;
  }

  leave(connection: object): void {
    this.unverified.delete(connection);
    if (this.places.get(connection)?.cls === 'phone') this.phones -= 1;
    this.places.delete(connection);
  }

  /** Those whose time is over. */
  *late<C extends object>(now: number): Iterable<C> {
    for (const [connection, { since }] of this.unverified) if (now - since > UNVERIFIED_MS) yield connection as C;
  }

  private hasRoom(cls: ClientClass): boolean {
    const { maxSockets, reservedShare } = this.limits;
    if (this.places.size >= maxSockets) return false;
    return cls !== 'phone' || this.phones < Math.floor(maxSockets * (1 - reservedShare));
  }

  private take(connection: object, place: Place): void {
    this.places.set(connection, place);
    if (place.cls === 'phone') this.phones += 1;
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
