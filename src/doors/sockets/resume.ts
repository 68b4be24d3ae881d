/** What a subscription begins with: what the client's copy lacks, and a place from which live frames go on. */
import type { Cursor } from '#libs/protocol';
import type { Follower } from './follower.js';
import type { Hall } from './hall.js';
import type { Door } from './socket-door.js';

/** How long a client that is ahead of this replica waits for it (I6). */
const SETTLE_MS = 5_000;

/** Writes what the cursor lacks and makes the socket a follower from there on: no hole and no double in between. */
export async function resume(
  door: Door,
  hall: Hall,
  follower: Follower,
  channel: string,
  cursor: Cursor | null,
): Promise<void> {
  const following = follower.channels.get(channel);
  if (!following || following.to !== null) return;
  const { feed } = hall;
  let resumed = feed.resume(channel, cursor);
  let isFalse = false;
  if (resumed.kind === 'ahead' && cursor) {
    const sameEpoch = cursor[0] === feed.epoch;
    const known = sameEpoch ? await feed.settled(SETTLE_MS) : await door.ports.feed.checkPrimary(SETTLE_MS);
    if (!known) {
      door.counted.resumes.refused += 1;
      return door.refuse(follower, 'behind');
    }
    resumed = feed.resume(channel, cursor);
    if (resumed.kind === 'ahead') {
      isFalse = cursor[0] === feed.epoch;
      if (isFalse)
        door.ports.logger.error(
          { channel: channel.split('/')[0] },
          'a client claims to be ahead of the primary; it gets a snapshot',
        );
      resumed = feed.resume(channel, null);
    }
  }
  if (resumed.kind === 'ahead' || follower.channels.get(channel) !== following) return;
  if (resumed.kind === 'current') hall.followers.place(following, cursor?.[1] ?? feed.head);
  else if (!hall.writeFrom(following, resumed.frame)) return;
  door.counted.resumes[isFalse ? 'ahead' : resumed.kind] += 1;
}
