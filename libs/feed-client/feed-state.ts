/**
 * The receiving side as a state machine: what happened goes in with the time, what is to be done comes out. No timer, no network,
 * no random of its own.
 *
 *   idle ─► joining ─► catching-up ─► live ◄─► stale
 *             ▲  └──────────┴───────────┴──────┘ connection lost
 *             └── waiting ◄─┘            any ─► refused (a number that says "do not come back")
 */
import { defineLimit } from '#libs/limits';
import {
  type Beacon,
  type ClientClass,
  type Cursor,
  type Frame,
  isPrivateChannel,
  type Mismatch,
  type RefusalBody,
} from '#libs/protocol';
import { ChannelCopy } from './channel-copy.js';
import { HEAL_WITHIN_MS } from './sum-healing.js';
import { TwoClocks } from './two-clocks.js';

export type Phase = 'idle' | 'joining' | 'catching-up' | 'live' | 'stale' | 'waiting' | 'refused';

export type Effect =
  | { readonly do: 'subscribe'; readonly channels: Readonly<Record<string, Cursor | null>> }
  | { readonly do: 'unsubscribe'; readonly channels: readonly string[] }
  /** Open a connection in so many milliseconds; `renew`: with a fresh token. */
  | { readonly do: 'connect'; readonly inMs: number; readonly renew: boolean }
  | { readonly do: 'disconnect' }
  | { readonly do: 'report'; readonly mismatch: Mismatch }
  | { readonly do: 'notify' };

export interface Status {
  /** `late`: connected, but the pipeline behind it is not complete. */
  readonly state: 'connecting' | 'live' | 'late' | 'reconnecting' | 'refused';
  /** Server time (milliseconds since 1970) to which the copy was last known complete; null: never. */
  readonly since: number | null;
  readonly refusal?: RefusalBody;
  /** The server's time, milliseconds since 1970, by the device's monotonic clock; null while unknown. */
  readonly serverNow: number | null;
}

/** An age above it is said out loud (I7). */
const MAX_AGE_MS = defineLimit({
  name: 'client.age',
  value: 6_000,
  unit: 'ms',
  beyond: 'the page says that it is not current, and since when',
});
const MISSED_BEACONS = 2.5;
const RESUME_AGAIN_MS = 5_000;
const JOIN_WITHIN_MS = 15_000;
/** Most channels in one message (SPEC S2). */
const MAX_CHANNELS = defineLimit({
  name: 'client.channels',
  value: 100,
  unit: 'items',
  beyond: 'the channel is not followed',
});
/** A resume in a living connection is over before anybody could read that it is there; longer is not "live". */
const CATCH_UP_MS = 3_000;
const FIRST_RETRY_MS: Readonly<Record<ClientClass, number>> = { screen: 500, desk: 500, phone: 8_000 };
/** A wall that was cut off is back within seconds; thousands of phones take longer, on purpose. */
const RETRY_CAP_MS: Readonly<Record<ClientClass, number>> = { screen: 4_000, desk: 4_000, phone: 15_000 };
/** A handshake that takes longer was begun on a network that is gone. */
const HANGING_MS = 3_000;
/** A beacon that was asked for is here by then. */
const CONFIRM_MS = 1_000;
const EXPIRED = 301;
/** A private channel that no beacon has named for so long is not followed there (SPEC B1). */
const OWN_UNNAMED_MS = 90_000;
/** A client that lost touch long before the others, or comes back alone, does not wait for them. */
const ALONE_WINDOW_MS = 1_000;
/** Widest window of a client that need not share the way in with many. */
const RETRY_ALONE_CAP_MS = 4_000;
/** Whatever a gateway says, nobody waits longer to come back. */
const MAX_SPREAD_MS = defineLimit({
  name: 'client.reconnect.spread',
  value: 60_000,
  unit: 'ms',
  beyond: 'a longer spread is not believed',
});

export class FeedState {
  phase: Phase = 'idle';
  readonly channels = new Map<string, ChannelCopy>();
  private attempts = 0;
  private readonly clocks = new TwoClocks();
  /** Monotonic time until which a beacon that was asked for may come, before the wall clock's word counts. */
  private confirmBy: number | null = null;
  private intervalMs = 5_000;
  private spreadMs: number | null = null;
  private ageMs = 0;
  private asOf: number | null = null;
  private refusal: RefusalBody | undefined;
  /** Channels that this identity may not follow: nothing is expected of them. */
  private readonly forbidden = new Set<string>();
  /** Monotonic time of the last beacon after which nothing was missing. */
  private completeAt: number | null = null;
  private openingSince: number | null = null;
  private leaving = false;
  /** What the handshake asked for. */
  private joined: readonly string[] = [];

  constructor(private readonly cls: ClientClass) {}

  start(): Effect[] {
    this.phase = 'joining';
    return [{ do: 'connect', inMs: 0, renew: false }];
  }

  follow(channel: string, now: number): Effect[] {
    if (this.channels.has(channel)) return [];
    this.channels.set(channel, new ChannelCopy());
    return this.isOpen() ? this.resume([channel], now) : [];
  }

  leave(channel: string): Effect[] {
    this.forbidden.delete(channel);
    if (!this.channels.delete(channel) || !this.isOpen()) return [];
    return [{ do: 'unsubscribe', channels: [channel] }];
  }

  /** A connection attempt begins. */
  opening(now: number): void {
    this.phase = 'joining';
    this.openingSince = now;
    this.leaving = false;
    this.joined = [];
    for (const copy of this.channels.values()) copy.resumingSince = null;
  }

  /** What the handshake asks for: it is answered a round trip earlier than a subscription afterwards. */
  joining(now: number): Readonly<Record<string, Cursor | null>> {
    this.joined = [...this.channels.keys()].slice(0, MAX_CHANNELS);
    return this.asked(this.joined, now);
  }

  connected(now: number, wall?: number): Effect[] {
    this.phase = 'catching-up';
    this.openingSince = null;
    this.clocks.hear(now, wall);
    for (const copy of this.channels.values()) copy.namedAt = null;
    const gone = this.joined.filter((channel) => !this.channels.has(channel));
    for (const copy of this.channels.values()) if (copy.resumingSince !== null) copy.resumingSince = now;
    return [
      ...(gone.length > 0 ? [{ do: 'unsubscribe', channels: gone } as const] : []),
      ...this.resume([...this.channels.keys()], now),
      { do: 'notify' },
    ];
  }

  frame(frame: Frame, now: number): Effect[] {
    const copy = this.channels.get(frame.channel);
    if (!copy) return [];
    const result = copy.frame(frame);
    if (result === 'resume') return this.resume([frame.channel], now);
    return result === 'applied' ? [{ do: 'notify' }] : [];
  }

  /** @param wall our clock, milliseconds since 1970; @param now monotonic; @param random of [0, 1) */
  beacon(beacon: Beacon, wall: number, now: number, random = 0): Effect[] {
    this.clocks.hear(now, wall, beacon.at);
    this.confirmBy = null;
    this.intervalMs = beacon.interval;
    this.spreadMs = beacon.spread ?? null;
    this.ageMs = beacon.age;
    this.attempts = 0;
    const reports: Effect[] = [];
    const behind = [...this.channels].flatMap(([channel, copy]) => {
      if (this.forbidden.has(channel)) return [];
      const last = beacon.channels[channel] ?? beacon.own?.[channel];
      if (last !== undefined) {
        copy.namedAt = now;
        const found = copy.beacon(beacon, last, beacon.sums?.[channel] ?? beacon.ownSums?.[channel]);
        if (found === 'wrong') reports.push(...this.differs(channel, copy, now, random));
        return found === 'resume' ? [channel] : [];
      }
      // A followed channel of which the beacon says nothing is not followed there: it is asked for again. Private ones are named rarely.
      return isPrivateChannel(channel) && copy.isNamedSince(now - OWN_UNNAMED_MS, beacon.epoch) ? [] : [channel];
    });
    // What is known to be wrong is not called current. What no snapshot mends is: the sum may be wrong, and it has been told.
    const complete = behind.length === 0 && ![...this.channels.values()].some(({ healing }) => healing.isDue);
    if (complete) {
      this.asOf = beacon.at - beacon.age;
      this.completeAt = now;
    }
    if (!this.leaving) this.phase = complete ? (beacon.age <= MAX_AGE_MS ? 'live' : 'stale') : 'catching-up';
    return [...reports, ...this.resume(behind, now), { do: 'notify' }];
  }

  private differs(channel: string, copy: ChannelCopy, now: number, random: number): Effect[] {
    const told = copy.healing.differs(now, HEAL_WITHIN_MS[this.cls] * random);
    return told ? [{ do: 'report', mismatch: { channel, to: copy.cursor?.[1] ?? 0, again: told === 'again' } }] : [];
  }

  /** To be called now and then: silence is an event, too. @param now monotonic; @param wall this device's, milliseconds since 1970 */
  tick(now: number, wall?: number): Effect[] {
    if (this.openingSince !== null && now - this.openingSince > JOIN_WITHIN_MS) {
      this.openingSince = null;
      return [{ do: 'disconnect' }];
    }
    if (wall !== undefined && this.clocks.disagree(now, wall)) return this.confirm(now);
    const silence = this.silence(now, wall);
    if (!this.isOpen()) return [];
    if (silence <= MISSED_BEACONS * this.intervalMs) return this.heal(now);
    const unconfirmed = this.confirmBy !== null && now >= this.confirmBy;
    const wasStale = this.phase === 'stale';
    this.phase = 'stale';
    // Still nothing, or no answer to a question: this connection is dead, whatever TCP believes.
    if (unconfirmed || silence > 2 * MISSED_BEACONS * this.intervalMs) return [{ do: 'disconnect' }];
    return wasStale ? [] : [{ do: 'notify' }];
  }

  /** The page is looked at again, after who knows how long: the true age counts at once, and what waits goes on. */
  wake(now: number, wall: number, random: number): Effect[] {
    const hangs = this.phase === 'joining' && this.openingSince !== null && now - this.openingSince > HANGING_MS;
    if (this.phase === 'waiting' || hangs) return [{ do: 'connect', inMs: ALONE_WINDOW_MS * random, renew: false }];
    this.clocks.disagree(now, wall);
    this.confirmBy = null;
    if (!this.isOpen()) return [];
    if (this.silence(now, wall) > MISSED_BEACONS * this.intervalMs) {
      this.phase = 'stale';
      return [{ do: 'disconnect' }, { do: 'notify' }];
    }
    return this.silence(now, wall) > this.intervalMs ? this.confirm(now) : [];
  }

  /** Any subscription is answered by a beacon: asked for when the device's clocks contradict each other. */
  private confirm(now: number): Effect[] {
    const [channel] = [...this.channels.keys()].filter((name) => !this.forbidden.has(name));
    if (!this.isOpen() || channel === undefined) return [];
    this.confirmBy = now + CONFIRM_MS;
    return [{ do: 'subscribe', channels: this.asked([channel], now) }];
  }

  /** Milliseconds since the last beacon, or since connecting. */
  private silence(now: number, wall?: number): number {
    const trusted = this.confirmBy !== null && now < this.confirmBy ? undefined : wall;
    return this.clocks.age(now, trusted) ?? 0;
  }

  disconnected(random: number, now = 0, wall?: number): Effect[] {
    if (this.phase === 'refused' || this.phase === 'idle') return [];
    return this.retry(random, 0, false, this.firstWindow(now, wall));
  }

  /** The server's answer for one channel. */
  answered(channel: string, accepted: boolean): void {
    if (accepted) this.forbidden.delete(channel);
    else this.forbidden.add(channel);
  }

  /** A whole subscription was refused: what was asked for is asked for again after the next beacon, from scratch if it was at fault. */
  subscribeRefused({ code }: RefusalBody): void {
    for (const copy of this.channels.values()) {
      if (copy.resumingSince === null) continue;
      copy.resumingSince = null;
      if (code >= 200) copy.cursor = null;
    }
  }

  /** The server said no: while connecting, or before closing. */
  refused(refusal: RefusalBody, random: number): Effect[] {
    if (refusal.code < 200) return this.retry(random, refusal.retryAfter ?? 0, false);
    if (refusal.code === EXPIRED && this.attempts < 3) return this.retry(random, 0, true);
    this.phase = 'refused';
    this.refusal = refusal;
    return [{ do: 'disconnect' }, { do: 'notify' }];
  }

  /** The gateway is about to stop: go within the window, at a moment of one's own. */
  drain(within: number, random: number): Effect[] {
    this.leaving = true;
    return [{ do: 'connect', inMs: within * random, renew: false }, { do: 'notify' }];
  }

  stop(): Effect[] {
    this.phase = 'idle';
    return [{ do: 'disconnect' }];
  }

  /** @param now monotonic milliseconds: what the wall clock says has been judged by `tick` and `wake` */
  status(now: number): Status {
    const common = { since: this.asOf, serverNow: this.clocks.serverNow(now) };
    if (this.phase === 'refused')
      return { state: 'refused', ...common, ...(this.refusal ? { refusal: this.refusal } : {}) };
    const silent = this.isOpen() && this.silence(now) > MISSED_BEACONS * this.intervalMs;
    if (this.phase === 'live' && !silent) return { state: 'live', ...common };
    if (this.asOf === null && this.ageMs <= MAX_AGE_MS) return { state: 'connecting', ...common };
    if (this.isOpen() && this.ageMs > MAX_AGE_MS) return { state: 'late', ...common };
    const brief =
      !silent &&
      this.phase === 'catching-up' &&
      this.completeAt !== null &&
      now - this.completeAt < CATCH_UP_MS + this.intervalMs;
    return { state: brief ? 'live' : 'reconnecting', ...common };
  }

  /** A connection that ends while beacons are fresh ends for all others, too: they come back as fast as they are let in, not faster. */
  private firstWindow(now: number, wall?: number): number {
    if (!this.isOpen() || this.clocks.age(now) === null) return FIRST_RETRY_MS[this.cls];
    if (this.silence(now, wall) > MISSED_BEACONS * this.intervalMs) return ALONE_WINDOW_MS;
    if (this.spreadMs === null) return FIRST_RETRY_MS[this.cls];
    return Math.min(Math.max(this.spreadMs, ALONE_WINDOW_MS / 2), MAX_SPREAD_MS);
  }

  /** Of a retry that is not the first: as wide as the server last said that all clients need, but no guess of ours beyond that. */
  private nextWindow(): number {
    const known = this.spreadMs;
    if (known === null) return Math.min(RETRY_CAP_MS[this.cls], FIRST_RETRY_MS[this.cls] * 2 ** this.attempts);
    return Math.min(Math.max(known, Math.min(RETRY_ALONE_CAP_MS, ALONE_WINDOW_MS * 2 ** this.attempts)), MAX_SPREAD_MS);
  }

  private isOpen(): boolean {
    return this.phase === 'catching-up' || this.phase === 'live' || this.phase === 'stale';
  }

  private resume(channels: readonly string[], now: number): Effect[] {
    const due = channels.filter((channel) => {
      const copy = this.channels.get(channel);
      return copy && (copy.resumingSince === null || now - copy.resumingSince >= RESUME_AGAIN_MS);
    });
    const groups = Array.from({ length: Math.ceil(due.length / MAX_CHANNELS) }, (_, group) =>
      due.slice(group * MAX_CHANNELS, (group + 1) * MAX_CHANNELS),
    );
    return groups.map((group) => ({ do: 'subscribe', channels: this.asked(group, now) }));
  }

  /** Copies that are wrong are replaced; until then they stay as they are. */
  private heal(now: number): Effect[] {
    const due = [...this.channels].filter(([, { healing }]) => healing.take(now));
    for (const [, copy] of due) copy.forgetPlace();
    return this.resume(
      due.map(([channel]) => channel),
      now,
    );
  }

  private asked(channels: readonly string[], now: number): Readonly<Record<string, Cursor | null>> {
    return Object.fromEntries(
      channels.map((channel) => {
        const copy = this.channels.get(channel);
        if (copy) copy.resumingSince = now;
        return [channel, copy?.cursor ?? null];
      }),
    );
  }

  /** Retries are spread over a window: a hall full of phones comes back one by one. */
  private retry(random: number, atLeastMs: number, renew: boolean, first = FIRST_RETRY_MS[this.cls]): Effect[] {
    const window = this.attempts === 0 ? first : this.nextWindow();
    this.attempts += 1;
    this.phase = 'waiting';
    this.openingSince = null;
    return [{ do: 'connect', inMs: atLeastMs + window * random, renew }, { do: 'notify' }];
  }
}
