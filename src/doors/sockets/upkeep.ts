/** What is done to all sockets of a conference, or to those that do not read; in slices. */
import { defineLimit } from '#libs/limits';
import { Refusal } from '#libs/protocol';
import type { Follower } from './follower.js';
import type { Hall } from './hall.js';
import type { Door } from './socket-door.js';
import { packetOf } from './writing/fan-out.js';
import { PRIORITY } from './writing/slices.js';

/** A socket that reads nothing for so long, while something is due to it, is closed, milliseconds. */
export const SLOW_MS = defineLimit({
  name: 'sockets.slow',
  value: 10_000,
  unit: 'ms',
  beyond: 'a socket that reads nothing for so long is closed',
});

/** Another epoch: every copy is replaced, desks and screens first. */
export function replaceAll(door: Door, hall: Hall): void {
  door.slices.run(PRIORITY.screen, hall.followers.all(), (follower) => {
    follower.ownChange = -1;
    for (const following of follower.channels.values()) {
      const resumed = hall.feed.resume(following.channel, null);
      // One who does not read learns it from a beacon that no longer names the channel, and asks.
      if ('frame' in resumed && hall.writeFrom(following, resumed.frame)) door.counted.resumes.snapshot += 1;
    }
  });
}

export function sayDrain(door: Door, hall: Hall, within: number): void {
  const packet = packetOf('drain', JSON.stringify({ within }));
  door.slices.run(PRIORITY.screen, hall.followers.all(), (follower) => void hall.send(follower, packet));
}

/** A slow socket goes on by version once it reads; one that never does is closed. */
export function lookAfter(door: Door, hall: Hall, follower: Follower, now: number): void {
  if (follower.slowSince === null) return;
  if (follower.leaving) hall.slow.delete(follower);
  else if (follower.writer.isWritable) {
    follower.slowSince = null;
    hall.slow.delete(follower);
    hall.catchUp(follower);
  } else if (now - follower.slowSince > SLOW_MS) {
    hall.slow.delete(follower);
    door.counted.closedSlow += 1;
    door.counted.refuse(new Refusal('too-slow').code);
    follower.socket.disconnect(true);
  }
}
