/**
 * All sockets of one conference. Each follower's place in each channel is kept here, so every frame continues exactly what was
 * written before; the replica encodes a frame once per (channel, place), which all who keep up share.
 */
import type { Advance, ConferenceFeed, EncodedFrame } from '#libs/feed';
import type { Beacon, ClientClass } from '#libs/protocol';
import { type Packet, packetOf } from './fan-out.js';
import type { Follower, Following } from './follower.js';
import { Followers } from './followers.js';
import { framePacket, Tick, type TickEnd } from './tick.js';

export const TICK_MS: Readonly<Record<ClientClass, number>> = { desk: 0, screen: 50, phone: 250 };
export const BEACON_MS: Readonly<Record<ClientClass, number>> = { desk: 2_000, screen: 2_000, phone: 5_000 };
/** Sockets written to before the event loop gets its turn. */
const SLICE = 250;

export interface HallStats {
  frames: number;
  skipped: number;
  /** Of frames, beacons and answers, as they were handed to the sockets. */
  readonly bytes: Record<ClientClass, number>;
}

export interface HallPorts {
  readonly stats: HallStats;
  /** Slows phones down while the event loop is late: a factor of at least 1. */
  pressure(): number;
  onReload(): void;
  onAccess(): void;
  /** A change was written long after it had happened. */
  onLate(cls: ClientClass, late: NonNullable<TickEnd['late']>): void;
}

const CLASSES: readonly ClientClass[] = ['desk', 'screen', 'phone'];

export class Hall {
  readonly followers = new Followers();
  private readonly dirty: Readonly<Record<ClientClass, Set<string>>> = {
    desk: new Set(),
    screen: new Set(),
    phone: new Set(),
  };
  private readonly ticking = new Set<ClientClass>();
  private readonly unsubscribe: () => void;

  constructor(
    readonly feed: ConferenceFeed,
    private readonly ports: HallPorts,
  ) {
    this.unsubscribe = feed.onAdvance((advance) => this.advanced(advance));
  }

  close(): void {
    this.unsubscribe();
  }

  /** Writes what a follower lacks of a channel; a socket that does not drain is left where it is. */
  bring(following: Following, tick: Tick): void {
    if (following.to === null) return;
    const due = tick.due(this.feed, following.channel, following.to);
    if (!due) return;
    const { outlet } = following;
    if (!outlet.drains) {
      following.follower.slowSince ??= performance.now();
      this.ports.stats.skipped += 1;
      return;
    }
    outlet.write(due.packet);
    following.to = due.frame.to;
    due.sockets += 1;
    this.ports.stats.frames += 1;
  }

  /** Everything a follower lacks, outside of its ticks. */
  catchUp(follower: Follower): void {
    const tick = new Tick(follower.cls, 1);
    for (const following of follower.channels.values()) this.bring(following, tick);
    this.end(follower.cls, tick);
  }

  write(follower: Follower, frame: EncodedFrame): void {
    this.send(follower, framePacket(frame));
    this.ports.stats.frames += 1;
  }

  send({ outlet, cls }: Follower, packet: Packet): void {
    outlet.write(packet);
    this.ports.stats.bytes[cls] += packet.bytes.length;
  }

  private end(cls: ClientClass, tick: Tick): void {
    const { bytes, late } = tick.end();
    this.ports.stats.bytes[cls] += bytes;
    if (late) this.ports.onLate(cls, late);
  }

  /** After everything that is due, so that it speaks of what was written. Encoded once per set of channels. */
  beacon(cls: ClientClass): void {
    const encoded = new Map<string, Packet>();
    const followers = this.followers.of(cls);
    const tick = new Tick(cls, followers.size);
    for (const follower of followers) {
      if (!follower.outlet.drains) continue;
      for (const following of follower.channels.values()) this.bring(following, tick);
      const channels = [...follower.channels].flatMap(([channel, { to }]) => (to === null ? [] : [channel])).sort();
      const set = channels.join(' ');
      let packet = encoded.get(set);
      if (packet === undefined) {
        packet = packetOf('beacon', JSON.stringify(this.beaconOf(cls, channels)));
        encoded.set(set, packet);
      }
      this.send(follower, packet);
    }
    this.end(cls, tick);
  }

  /** To one who has just begun to follow; not while another channel is still on its way. */
  beaconTo(follower: Follower): void {
    const following = [...follower.channels];
    if (following.length === 0 || following.some(([, { to }]) => to === null)) return;
    const channels = following.map(([channel]) => channel);
    this.send(follower, packetOf('beacon', JSON.stringify(this.beaconOf(follower.cls, channels))));
  }

  private beaconOf(cls: ClientClass, channels: readonly string[]): Beacon {
    const { epoch, head } = this.feed;
    const last = Object.fromEntries(channels.map((channel) => [channel, this.feed.lastChange(channel)]));
    return { epoch, at: Date.now(), head, age: Math.round(this.feed.age()), interval: BEACON_MS[cls], channels: last };
  }

  private advanced(advance: Advance): void {
    if (advance.channels.has('_access') || advance.reloaded) this.ports.onAccess();
    if (advance.reloaded) this.ports.onReload();
    else {
      for (const cls of CLASSES) {
        if (this.followers.of(cls).size === 0) continue;
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
    else setTimeout(tick, TICK_MS[cls] * (cls === 'phone' ? this.ports.pressure() : 1));
  }

  /** One tick of one class, in slices: desks and screens get their turn between two slices of phones. */
  private flush(cls: ClientClass): void {
    const due = [...this.dirty[cls]].flatMap((channel) => [...this.followers.following(cls, channel)]);
    this.dirty[cls].clear();
    const tick = new Tick(cls, due.length);
    let next = 0;
    const slice = () => {
      const end = Math.min(next + SLICE, due.length);
      while (next < end) this.bring(due[next++] as Following, tick);
      if (next < due.length) {
        setImmediate(slice);
        return;
      }
      this.end(cls, tick);
      this.ticking.delete(cls);
      this.schedule(cls);
    };
    slice();
  }
}
