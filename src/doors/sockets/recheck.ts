import { Refusal } from '#libs/protocol';
import { mayConnect, mayFollow } from '../../conference/access.js';
import { stateOf } from '../../conference/state.js';
import type { Follower } from './follower.js';
import type { Hall } from './hall.js';
import type { Door } from './socket-door.js';
import { PRIORITY } from './writing/slices.js';

/** One pass of a conference at a time, and one more if something changed meanwhile. */
const passes = new WeakMap<Hall, 'running' | 'again'>();

/** Grants or erasures changed: they hold for live sockets, too. Desks, which see most, come first. */
export function recheck(door: Door, hall: Hall): void {
  if (passes.has(hall)) {
    passes.set(hall, 'again');
    return;
  }
  passes.set(hall, 'running');
  const state = stateOf(hall.feed);
  const check = (follower: Follower) => {
    if (follower.leaving) return;
    const { identity } = follower.verified;
    const here = mayConnect(identity, state);
    if (here !== 'ok') {
      door.refuse(follower, here.refusal);
      return;
    }
    const taken = [...follower.channels.keys()].filter(
      (channel) => mayFollow(identity, channel, state) instanceof Refusal,
    );
    for (const channel of taken) hall.followers.unfollow(follower, channel);
    if (taken.length > 0) door.refuse(follower, 'revoked');
  };
  door.slices.run(PRIORITY.desk, hall.followers.all(), check, () => {
    const again = passes.get(hall) === 'again';
    passes.delete(hall);
    if (again) recheck(door, hall);
  });
}
