import { Refusal } from '#libs/protocol';
import { mayConnect, mayFollow } from '../../conference/access.js';
import { stateOf } from '../../conference/state.js';
import type { Hall } from './hall.js';
import type { Door } from './socket-door.js';

/** Grants or erasures changed: they hold for live sockets, too. */
export function recheck(door: Door, hall: Hall): void {
  const state = stateOf(hall.feed);
  for (const follower of hall.followers.all()) {
    const { identity } = follower.verified;
    const here = mayConnect(identity, state);
    if (here !== 'ok') {
      door.refuse(follower, here.refusal);
      continue;
    }
    const taken = [...follower.channels.keys()].filter(
      (channel) => mayFollow(identity, channel, state) instanceof Refusal,
    );
    for (const channel of taken) hall.followers.unfollow(follower, channel);
    if (taken.length > 0) door.refuse(follower, 'revoked');
  }
}
