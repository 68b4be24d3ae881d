/** Who follows what in one conference: by class for what goes to everybody, by channel for what only some follow. */
import type { ClientClass } from '#libs/protocol';
import { ChannelSets } from './channel-sets.js';
import type { Follower, Following } from './follower.js';

type PerClass<T> = Readonly<Record<ClientClass, T>>;
const perClass = <T>(make: () => T): PerClass<T> => ({ desk: make(), screen: make(), phone: make() });
const NOBODY: ReadonlySet<Following> = new Set();

export class Followers {
  readonly sets = new ChannelSets();
  private readonly byClass = perClass(() => new Set<Follower>());
  private readonly byChannel = perClass(() => new Map<string, Set<Following>>());

  get size(): number {
    return this.byClass.desk.size + this.byClass.screen.size + this.byClass.phone.size;
  }

  of(cls: ClientClass): ReadonlySet<Follower> {
    return this.byClass[cls];
  }

  /** Desks, which see most, and screens first. */
  all(): readonly Follower[] {
    return [...this.byClass.desk, ...this.byClass.screen, ...this.byClass.phone];
  }

  following(cls: ClientClass, channel: string): ReadonlySet<Following> {
    return this.byChannel[cls].get(channel) ?? NOBODY;
  }

  add(follower: Follower): void {
    this.byClass[follower.cls].add(follower);
  }

  remove(follower: Follower): void {
    for (const channel of follower.channels.keys()) this.unfollow(follower, channel);
    this.byClass[follower.cls].delete(follower);
    this.sets.leave(follower);
  }

  /** Begins anew where it was followed before. A socket that has left in the meantime is not kept. */
  follow(follower: Follower, channel: string): void {
    this.unfollow(follower, channel);
    if (!this.byClass[follower.cls].has(follower)) return;
    const following: Following = { follower, writer: follower.writer, channel, to: null };
    follower.channels.set(channel, following);
    const channels = this.byChannel[follower.cls];
    const known = channels.get(channel);
    if (known) known.add(following);
    else channels.set(channel, new Set([following]));
  }

  /** How far the copy is complete from now on; null: a resume is being worked out. */
  place(following: Following, to: number | null): void {
    if ((following.to === null) !== (to === null)) this.sets.leave(following.follower);
    following.to = to;
  }

  unfollow(follower: Follower, channel: string): void {
    const following = follower.channels.get(channel);
    if (!following) return;
    // Whoever holds it from before an await writes nothing any more.
    this.place(following, null);
    follower.channels.delete(channel);
    const channels = this.byChannel[follower.cls];
    const known = channels.get(channel);
    known?.delete(following);
    if (known?.size === 0) channels.delete(channel);
  }
}
