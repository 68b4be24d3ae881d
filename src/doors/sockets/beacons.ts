/** Beacons of one conference: what all of a set of channels are told is encoded once, what concerns one person is added (D18). */
import type { ConferenceFeed } from '#libs/feed';
import { type Beacon, type ClientClass, isPrivateChannel } from '#libs/protocol';
import type { ChannelSet, ChannelSets } from './channel-sets.js';
import type { Follower } from './follower.js';
import { type Packet, packetOf } from './writing/fan-out.js';

export const BEACON_MS: Readonly<Record<ClientClass, number>> = { desk: 2_000, screen: 2_000, phone: 5_000 };
/** A private channel is named at least so often, changed or not, milliseconds. */
export const OWN_EVERY_MS = 60_000;
/** How long an encoded beacon is handed out, milliseconds: it says what time it is. */
const ENCODED_MS = 20;

interface Encoded {
  readonly at: number;
  readonly head: number;
  /** It changes at the same head, too, when all is loaded again. */
  readonly epoch: string;
  /** Without its last brace, for what is added. */
  readonly open: string;
  readonly packet: Packet;
}

export class Beacons {
  private readonly encoded: Readonly<Record<ClientClass, WeakMap<ChannelSet, Encoded>>> = {
    desk: new WeakMap(),
    screen: new WeakMap(),
    phone: new WeakMap(),
  };

  /** @param spread milliseconds over which the clients of a class come back, if this gateway is gone all at once */
  constructor(
    private readonly feed: ConferenceFeed,
    private readonly sets: ChannelSets,
    private readonly spread: (cls: ClientClass) => number,
  ) {}

  /** @param now monotonic milliseconds */
  packetFor(follower: Follower, now: number): Packet {
    const shared = this.shared(follower.cls, this.sets.of(follower), now);
    const own = this.ownOf(follower, now);
    return own === null ? shared.packet : packetOf('beacon', `${shared.open},${own}}`);
  }

  /** A channel that never had a document last changed at 0, which every copy of it is complete to. */
  private shared(cls: ClientClass, set: ChannelSet, now: number): Encoded {
    const known = this.encoded[cls].get(set);
    const { head, epoch, proof } = this.feed;
    if (known && known.head === head && known.epoch === epoch && now - known.at < ENCODED_MS) return known;
    const beacon: Beacon = {
      epoch,
      at: Date.now(),
      head,
      ...(proof === undefined ? {} : { proof }),
      age: Math.round(this.feed.age()),
      interval: BEACON_MS[cls],
      spread: this.spread(cls),
      channels: Object.fromEntries(
        set.channels.map((channel) => [channel, Math.max(this.feed.lastChange(channel), 0)]),
      ),
      sums: Object.fromEntries(set.channels.map((channel) => [channel, this.feed.sum(channel)])),
    };
    const json = JSON.stringify(beacon);
    const encoded = { at: now, head, epoch, open: json.slice(0, -1), packet: packetOf('beacon', json) };
    this.encoded[cls].set(set, encoded);
    return encoded;
  }

  /** Members of the beacon. null: what was said last is still true, and was not said long ago. */
  private ownOf(follower: Follower, now: number): string | null {
    let own: Record<string, number> | undefined;
    let sums: Record<string, number> | undefined;
    let change = -1;
    for (const [channel, { to }] of follower.channels) {
      if (to === null || !isPrivateChannel(channel)) continue;
      const last = this.feed.lastChange(channel);
      own = { ...own, [channel]: Math.max(last, 0) };
      sums = { ...sums, [channel]: this.feed.sum(channel) };
      change = Math.max(change, last);
    }
    if (!own || (change <= follower.ownChange && now - follower.ownAt < OWN_EVERY_MS)) return null;
    follower.ownChange = change;
    follower.ownAt = now;
    return `"own":${JSON.stringify(own)},"ownSums":${JSON.stringify(sums)}`;
  }
}
