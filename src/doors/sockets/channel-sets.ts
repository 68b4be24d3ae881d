/** The sets of shared channels that sockets follow: most follow the same few, and what is said to all of a set is encoded once. */
import { isPrivateChannel } from '#libs/protocol';
import type { Follower } from './follower.js';

export interface ChannelSet {
  readonly key: string;
  readonly channels: readonly string[];
  users: number;
}

export class ChannelSets {
  private readonly sets = new Map<string, ChannelSet>();

  get size(): number {
    return this.sets.size;
  }

  /** The follower's shared channels that have a place, in order. Kept until one is added, removed, or gets or loses its place. */
  of(follower: Follower): ChannelSet {
    if (follower.set) return follower.set;
    const channels: string[] = [];
    for (const [channel, { to }] of follower.channels)
      if (to !== null && !isPrivateChannel(channel)) channels.push(channel);
    channels.sort();
    const key = channels.join(' ');
    let set = this.sets.get(key);
    if (!set) {
      set = { key, channels, users: 0 };
      this.sets.set(key, set);
    }
    set.users += 1;
    follower.set = set;
    return set;
  }

  /** It is no longer what the follower follows. */
  leave(follower: Follower): void {
    const { set } = follower;
    if (!set) return;
    follower.set = null;
    set.users -= 1;
    if (set.users === 0) this.sets.delete(set.key);
  }
}
