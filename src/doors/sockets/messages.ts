/** What a connected client may say. A message that cannot be read or is not allowed gets a number; nothing is echoed, nothing throws. */
import { defineLimit } from '#libs/limits';
import {
  type Cursor,
  mismatchSchema,
  parseBounded,
  Refusal,
  type SubscribeAck,
  subscribeSchema,
  unsubscribeSchema,
} from '#libs/protocol';
import { mayFollow } from '../../conference/access.js';
import { stateOf } from '../../conference/state.js';
import type { CommandDoor } from '../commands/command-door.js';
import type { Follower } from './follower.js';
import type { Hall } from './hall.js';
import { resume } from './resume.js';
import { takeShown } from './shown.js';
import type { Door } from './socket-door.js';
import { packetOf } from './writing/fan-out.js';

export const MAX_FOLLOWED = defineLimit({
  name: 'sockets.channels',
  value: 200,
  unit: 'items',
  beyond: 'a further channel of the socket is refused with 201',
});
/** Messages of one socket that are being answered at once. */
export const MAX_IN_FLIGHT = defineLimit({
  name: 'sockets.messages.in-flight',
  value: 32,
  unit: 'requests',
  beyond: 'a further message is refused with 106',
});
/** A socket that goes on sending after so many refusals of its rate is closed. */
export const MAX_EXCESS = defineLimit({
  name: 'sockets.messages.excess',
  value: 200,
  unit: 'requests',
  beyond: 'the socket is closed with 106',
});
/** Each message that is taken makes up for so many refusals. */
const EXCESS_FORGIVEN = 2;

/** @returns the answer, and what follows it */
type Handler = (door: Door, hall: Hall, follower: Follower, message: unknown) => Promise<object>;

/** One for all sockets: a socket costs one closure. */
const HANDLERS: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  [
    'subscribe',
    async (door, hall, follower, message) => {
      const { answers, begin } = subscribe(door, hall, follower, message);
      setImmediate(begin); // After the ack.
      return answers;
    },
  ],
  [
    'unsubscribe',
    async (_door, hall, follower, message) => {
      for (const channel of parseBounded(unsubscribeSchema, message).channels)
        hall.followers.unfollow(follower, channel);
      return { ok: true };
    },
  ],
  [
    'shown',
    async (_door, _hall, follower, message) => {
      takeShown(follower, message);
      return { ok: true };
    },
  ],
  [
    'mismatch',
    async (door, hall, follower, message) => {
      const { channel, again } = parseBounded(mismatchSchema, message);
      if (!follower.channels.has(channel)) throw new Refusal('invalid', 'that channel is not followed');
      door.counted.mismatch(again, channel);
      if (again) hall.feed.suspect();
      return { ok: true };
    },
  ],
  [
    'command',
    async (door, _hall, follower, message) => {
      stillValid(follower);
      return door.ports.commands.handle(follower.verified.identity, follower.conference, message);
    },
  ],
]);

export function answerMessages(door: Door, hall: Hall, follower: Follower): void {
  // One catch-all listener, so that unknown message names are also answered.
  follower.socket.onAny((event: string, ...given: readonly unknown[]) => {
    // One who sends and does not read gets no answers either; the same id can be sent again.
    if (follower.leaving || !follower.writer.isWritable) {
      hall.mark(follower);
      return;
    }
    const ack = given.at(-1);
    const reply = (answer: object) => {
      if (typeof ack === 'function' && follower.writer.isWritable) ack(answer);
    };
    const way = event === 'command' ? announce(door, follower) : undefined;
    if (way instanceof Refusal) {
      reply({ refusal: way.body() });
      return;
    }
    answer(door, hall, follower, event, given[0])
      .then(reply, (error: unknown) => reply({ refusal: refusalOf(door, error).body() }))
      .finally(() => way?.end());
  });
}

/** Before anything is read of it: by load it is refused at once (D10). */
function announce(door: Door, { verified, conference }: Follower): ReturnType<CommandDoor['announce']> {
  const way = door.ports.commands.announce(verified.identity, conference);
  if (way instanceof Refusal) door.counted.refuse(way.code);
  return way;
}

async function answer(door: Door, hall: Hall, follower: Follower, event: string, message: unknown): Promise<object> {
  if (!follower.messages.take(performance.now())) {
    follower.excess += 1;
    if (follower.excess > MAX_EXCESS) door.refuse(follower, 'rate-limited');
    throw new Refusal('rate-limited', undefined, 1_000);
  }
  follower.excess = Math.max(0, follower.excess - EXCESS_FORGIVEN);
  if (follower.inFlight >= MAX_IN_FLIGHT) throw new Refusal('rate-limited', undefined, 1_000);
  const handle = HANDLERS.get(event);
  if (!handle) throw new Refusal('malformed', 'there is no message of this name');
  follower.inFlight += 1;
  try {
    return await handle(door, hall, follower, message);
  } finally {
    follower.inFlight -= 1;
  }
}

/** What the handshake asked for: as a subscription. CONNECT's answer, this one, the frames and the beacon leave in one write. */
export function answerHandshake(door: Door, hall: Hall, follower: Follower, channels: unknown): void {
  const tell = (answer: object) => hall.send(follower, packetOf('subscribed', JSON.stringify(answer)));
  try {
    const { answers, begin } = subscribe(door, hall, follower, { channels });
    tell(answers);
    begin();
  } catch (error) {
    tell({ refusal: refusalOf(door, error).body() });
  }
}

function refusalOf(door: Door, error: unknown): Refusal {
  const refusal = error instanceof Refusal ? error : new Refusal('internal');
  if (!(error instanceof Refusal)) door.ports.logger.error({ err: error }, 'a message failed');
  door.counted.refuse(refusal.code);
  return refusal;
}

/** A socket that is asked to leave is served until it does. */
function stillValid({ verified }: Follower): void {
  if (verified.expiresAt <= Date.now()) throw new Refusal('expired');
}

interface Subscription {
  readonly answers: SubscribeAck;
  /** All content comes as frames, and a beacon says that it was all: nobody waits for the next one to be "live". */
  begin(): void;
}

/** @throws Refusal */
function subscribe(door: Door, hall: Hall, follower: Follower, message: unknown): Subscription {
  const { channels } = parseBounded(subscribeSchema, message);
  stillValid(follower);
  const asked = Object.entries(channels);
  door.resumes.spend(follower, asked.length);
  const state = stateOf(hall.feed);
  const answers: Record<string, SubscribeAck[string]> = {};
  const followed: (readonly [channel: string, cursor: Cursor | null])[] = [];
  for (const [channel, cursor] of asked) {
    const allowed = mayFollow(follower.verified.identity, channel, state);
    const full = follower.channels.size >= MAX_FOLLOWED && !follower.channels.has(channel);
    if (allowed !== 'ok' || full) {
      const refusal = allowed === 'ok' ? new Refusal('invalid', `at most ${MAX_FOLLOWED} channels a socket`) : allowed;
      door.counted.refuse(refusal.code);
      answers[channel] = { refusal: refusal.body() };
      continue;
    }
    answers[channel] = 'ok';
    hall.followers.follow(follower, channel);
    followed.push([channel, cursor as Cursor | null]);
  }
  return {
    answers,
    begin() {
      Promise.all(followed.map(([channel, cursor]) => resume(door, hall, follower, channel, cursor))).then(
        () => hall.beaconTo(follower),
        (err: unknown) => door.ports.logger.error({ err }, 'a resume failed'),
      );
    },
  };
}
