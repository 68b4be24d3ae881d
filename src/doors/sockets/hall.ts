/**
 * All sockets of one conference. Each follower's place in each channel is kept here, so every frame continues exactly what was
 * written before; the replica encodes a frame once per (channel, place), which all who keep up share.
 */
import type { Advance, ConferenceFeed, EncodedFrame } from '#libs/feed';
import type { ClientClass } from '#libs/protocol';
import { BEACON_MS, Beacons } from './beacons.js';
import type { Follower, Following } from './follower.js';
import { Followers } from './followers.js';
import type { Packet } from './writing/fan-out.js';
import { PRIORITY, type Slices } from './writing/slices.js';
import { framePacket, Tick, type TickEnd } from './writing/tick.js';

export { BEACON_MS };
export const TICK_MS: Readonly<Record<ClientClass, number>> = { desk: 0, screen: 50, phone: 250 };

export interface HallStats {
  frames: number;
  skipped: number;
  /** Of frames, beacons and answers, as they were handed to the sockets. */
  readonly bytes: Record<ClientClass, number>;
}

export interface HallPorts {
  readonly stats: HallStats;
  readonly slices: Slices;
  /** Slows phones down while the event loop is late: a factor of at least 1. */
  pressure(): number;
  /** Milliseconds over which the clients of a class come back, if this gateway is gone all at once. */
  spread(cls: ClientClass): number;
  onReload(): void;
  onAccess(): void;
  /** A change was written long after it had happened. */
  onLate(cls: ClientClass, late: NonNullable<TickEnd['late']>): void;
}

const CLASSES: readonly ClientClass[] = ['desk', 'screen', 'phone'];

export class Hall {
  readonly followers = new Followers();
  /** Those who were not writable when something was due to them. */
  readonly slow = new Set<Follower>();
  private readonly beacons: Beacons;
  private readonly dirty: Readonly<Record<ClientClass, Set<string>>> = {
    desk: new Set(),
    screen: new Set(),
    phone: new Set(),
  };
  private readonly ticking = new Set<ClientClass>();
  private readonly beaconing = new Set<ClientClass>();
  private readonly unsubscribe: () => void;

  constructor(
    readonly feed: ConferenceFeed,
    private readonly ports: HallPorts,
  ) {
    this.beacons = new Beacons(feed, this.followers.sets, (cls) => ports.spread(cls));
    this.unsubscribe = feed.onAdvance((advance) => this.advanced(advance));
  }

  close(): void {
    this.unsubscribe();
  }

  /** Writes what a follower lacks of a channel; a socket that does not read is left where it is. */
  bring(following: Following, tick: Tick): void {
    if (following.to === null) return;
    const due = tick.due(this.feed, following.channel, following.to);
    if (!due) return;
    if (!following.writer.write(due.packet)) {
      this.mark(following.follower);
      this.ports.stats.skipped += 1;
      return;
    }
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

  /** Makes it a follower of the channel from the frame's end on. One who does not read stays without a place, and asks again. */
  writeFrom(following: Following, frame: EncodedFrame): boolean {
    const written = this.send(following.follower, framePacket(frame));
    if (written) this.ports.stats.frames += 1;
    else this.mark(following.follower);
    this.followers.place(following, written ? frame.to : null);
    return written;
  }

  /** @returns false: the socket does not read, nothing was written */
  send({ writer, cls }: Follower, packet: Packet): boolean {
    const written = writer.write(packet);
    if (written) this.ports.stats.bytes[cls] += packet.bytes.length;
    return written;
  }

  /** After everything that is due, so that it speaks of what was written. One pass of a class at a time. */
  beacon(cls: ClientClass): void {
    if (this.beaconing.has(cls)) return;
    this.beaconing.add(cls);
    const followers = [...this.followers.of(cls)];
    const tick = new Tick(cls, followers.length);
    const each = (follower: Follower) => {
      if (!follower.writer.isWritable) return;
      for (const following of follower.channels.values()) this.bring(following, tick);
      this.send(follower, this.beacons.packetFor(follower, performance.now()));
    };
    this.ports.slices.run(PRIORITY[cls], followers, each, () => {
      this.beaconing.delete(cls);
      this.end(cls, tick);
    });
  }

  /** To one who has just begun to follow; not while another channel is still on its way. */
  beaconTo(follower: Follower): void {
    if (follower.channels.size === 0) return;
    for (const { to } of follower.channels.values()) if (to === null) return;
    // What was said of private channels before was said of fewer of them.
    follower.ownChange = -1;
    follower.ownAt = Number.NEGATIVE_INFINITY;
    this.send(follower, this.beacons.packetFor(follower, performance.now()));
  }

  /** One who does not read: caught up once it does, closed if it never does. */
  mark(follower: Follower): void {
    follower.slowSince ??= performance.now();
    this.slow.add(follower);
  }

  private end(cls: ClientClass, tick: Tick): void {
    const { bytes, late } = tick.end();
    this.ports.stats.bytes[cls] += bytes;
    if (late) this.ports.onLate(cls, late);
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
    if (cls === 'desk') this.flush(cls);
    else setTimeout(() => this.flush(cls), TICK_MS[cls] * (cls === 'phone' ? this.ports.pressure() : 1));
  }

  /** One tick of one class, in slices: desks and screens get their turn between two slices of phones. */
  private flush(cls: ClientClass): void {
    const due = [...this.dirty[cls]].flatMap((channel) => [...this.followers.following(cls, channel)]);
    this.dirty[cls].clear();
    const tick = new Tick(cls, due.length);
    this.ports.slices.run(
      PRIORITY[cls],
      due,
      (following) => this.bring(following, tick),
      () => {
        this.end(cls, tick);
        this.ticking.delete(cls);
        this.schedule(cls);
      },
    );
  }
}
