/**
 * All sockets of one conference. Each follower's place in each channel is kept here, so every frame continues exactly what was
 * written before; the replica encodes a frame once per (channel, place), which all who keep up share.
 */
import type { Advance, ConferenceFeed, EncodedFrame } from '#libs/feed';
import type { Beacon, ClientClass } from '#libs/protocol';
import { isDrained } from './drained.js';
import { type Packet, packetOf, writePacket } from './fan-out.js';
import type { Follower } from './follower.js';
import { Tick } from './tick.js';

export const TICK_MS: Readonly<Record<ClientClass, number>> = { desk: 0, screen: 50, phone: 250 };
export const BEACON_MS: Readonly<Record<ClientClass, number>> = { desk: 2_000, screen: 2_000, phone: 5_000 };
/** Sockets written to before the event loop gets its turn. */
const SLICE = 250;

export interface HallStats {
  frames: number;
  skipped: number;
}

const CLASSES: readonly ClientClass[] = ['desk', 'screen', 'phone'];

export class Hall {
  readonly followers: Readonly<Record<ClientClass, Set<Follower>>> = {
    desk: new Set(),
    screen: new Set(),
    phone: new Set(),
  };
  private readonly dirty: Readonly<Record<ClientClass, Set<string>>> = {
    desk: new Set(),
    screen: new Set(),
    phone: new Set(),
  };
  private readonly ticking = new Set<ClientClass>();
  private readonly packets = new WeakMap<EncodedFrame, Packet>();
  private readonly unsubscribe: () => void;

  constructor(
    readonly feed: ConferenceFeed,
    private readonly stats: HallStats,
    /** Slows phones down while the event loop is late: a factor of at least 1. */
    private readonly pressure: () => number,
    private readonly onReload: () => void,
    private readonly onAccess: () => void,
  ) {
    this.unsubscribe = feed.onAdvance((advance) => this.advanced(advance));
  }

  close(): void {
    this.unsubscribe();
  }

  get size(): number {
    return CLASSES.reduce((sum, cls) => sum + this.followers[cls].size, 0);
  }

  /** Writes what a follower lacks of a channel; a socket that does not drain is left where it is. */
  bring(follower: Follower, channel: string, tick?: Tick): void {
    const following = follower.channels.get(channel);
    if (!following || following.to === null) return;
    const frame = tick ? tick.changes(this.feed, channel, following.to) : this.feed.changes(channel, following.to);
    if (!frame) return;
    if (!isDrained(follower.socket)) {
      follower.slowSince ??= performance.now();
      this.stats.skipped += 1;
      return;
    }
    this.write(follower, frame);
    tick?.wrote(frame);
    following.to = frame.to;
  }

  write(follower: Follower, frame: EncodedFrame): void {
    let packet = this.packets.get(frame);
    if (packet === undefined) {
      packet = packetOf('frame', frame.json);
      this.packets.set(frame, packet);
    }
    writePacket(follower.socket, packet);
    this.stats.frames += 1;
  }

  /** After everything that is due, so that it speaks of what was written. Encoded once per set of channels. */
  beacon(cls: ClientClass): void {
    const encoded = new Map<string, Packet>();
    const tick = new Tick(cls, this.followers[cls].size);
    for (const follower of this.followers[cls]) {
      if (!isDrained(follower.socket)) continue;
      for (const channel of follower.channels.keys()) this.bring(follower, channel, tick);
      const channels = [...follower.channels].flatMap(([channel, { to }]) => (to === null ? [] : [channel])).sort();
      const set = channels.join(' ');
      let packet = encoded.get(set);
      if (packet === undefined) {
        packet = packetOf('beacon', JSON.stringify(this.beaconOf(cls, channels)));
        encoded.set(set, packet);
      }
      writePacket(follower.socket, packet);
    }
    tick.end();
  }

  /** To one who has just begun to follow; not while another channel is still on its way. */
  beaconTo(follower: Follower): void {
    const following = [...follower.channels];
    if (following.length === 0 || following.some(([, { to }]) => to === null)) return;
    const channels = following.map(([channel]) => channel);
    writePacket(follower.socket, packetOf('beacon', JSON.stringify(this.beaconOf(follower.cls, channels))));
  }

  private beaconOf(cls: ClientClass, channels: readonly string[]): Beacon {
    const { epoch, head } = this.feed;
    const last = Object.fromEntries(channels.map((channel) => [channel, this.feed.lastChange(channel)]));
    return { epoch, at: Date.now(), head, age: Math.round(this.feed.age()), interval: BEACON_MS[cls], channels: last };
  }

  private advanced(advance: Advance): void {
    if (advance.channels.has('_access') || advance.reloaded) this.onAccess();
    if (advance.reloaded) this.onReload();
    else {
      for (const cls of CLASSES) {
        if (this.followers[cls].size === 0) continue;
        for (const channel of advance.channels) this.dirty[cls].add(channel);
        this.schedule(cls);
      }
    }
  }

  private schedule(cls: ClientClass): void {
    if (this.ticking.has(cls) || this.dirty[cls].size === 0) return;
    this.ticking.add(cls);
    const tick = () => {
      this.flush(cls);
    };
    if (cls === 'desk') setImmediate(tick);
    else setTimeout(tick, TICK_MS[cls] * (cls === 'phone' ? this.pressure() : 1));
  }

  /** One tick of one class, in slices: desks and screens get their turn between two slices of phones. */
  private flush(cls: ClientClass): void {
    const channels = [...this.dirty[cls]];
    this.dirty[cls].clear();
    const followers = [...this.followers[cls]];
    const tick = new Tick(cls, followers.length);
    const slice = (from: number) => {
      for (const follower of followers.slice(from, from + SLICE)) {
        for (const channel of channels) this.bring(follower, channel, tick);
      }
      if (from + SLICE < followers.length) {
        setImmediate(slice, from + SLICE);
        return;
      }
      tick.end();
      this.ticking.delete(cls);
      this.schedule(cls);
    };
    slice(0);
  }
}
