/** What a connected client may say. A message that cannot be read or is not allowed gets a number; nothing is echoed, nothing throws. */
import {
  type Cursor,
  parseBounded,
  Refusal,
  type SubscribeAck,
  subscribeSchema,
  unsubscribeSchema,
} from '#libs/protocol';
import { mayFollow } from '../../conference/access.js';
import { stateOf } from '../../conference/state.js';
import { packetOf } from './fan-out.js';
import type { Follower } from './follower.js';
import type { Hall } from './hall.js';
import { takeShown } from './shown.js';
import type { Door } from './socket-door.js';

const MAX_FOLLOWED = 200;
/** How long a client that is ahead of this replica waits for it (I6). */
const SETTLE_MS = 5_000;

type Handler = (message: unknown) => Promise<object>;

export function answerMessages(door: Door, hall: Hall, follower: Follower): void {
  const handlers = new Map<string, Handler>();
  const on = (event: string, handle: Handler) => handlers.set(event, handle);
  // Not a listener for each name: what has none is to be answered, too.
  follower.socket.onAny((event: string, ...given: readonly unknown[]) => {
    const ack = given.at(-1);
    const reply = (answer: object) => {
      if (typeof ack === 'function') ack(answer);
    };
    answer(door, follower, handlers.get(event) ?? unknownMessage, given[0]).then(reply, (error: unknown) =>
      reply({ refusal: refusalOf(door, error).body() }),
    );
  });
  on('subscribe', async (message) => {
    const { answers, begin } = await subscribe(door, hall, follower, message);
    setImmediate(begin); // After the ack.
    return answers;
  });
  on('unsubscribe', async (message) => {
    for (const channel of parseBounded(unsubscribeSchema, message).channels) hall.followers.unfollow(follower, channel);
    return { ok: true };
  });
  on('shown', async (message) => {
    takeShown(follower, message);
    return { ok: true };
  });
  on('command', async (message) => {
    stillValid(follower);
    return door.ports.commands.handle(follower.verified.identity, follower.conference, message);
  });
}

async function unknownMessage(): Promise<never> {
  throw new Refusal('malformed', 'there is no message of this name');
}

/** What the handshake asked for: as a subscription. CONNECT's answer, this one, the frames and the beacon leave in one write. */
export async function answerHandshake(door: Door, hall: Hall, follower: Follower, channels: unknown): Promise<void> {
  const tell = (answer: object) => hall.send(follower, packetOf('subscribed', JSON.stringify(answer)));
  try {
    const { answers, begin } = await subscribe(door, hall, follower, { channels });
    tell(answers);
    begin();
  } catch (error) {
    tell({ refusal: refusalOf(door, error).body() });
  }
}

async function answer(_: Door, follower: Follower, handle: Handler, message: unknown): Promise<object> {
  if (!follower.bucket.take(performance.now())) throw new Refusal('rate-limited', undefined, 1_000);
  return handle(message);
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

async function subscribe(door: Door, hall: Hall, follower: Follower, message: unknown): Promise<Subscription> {
  const { channels } = parseBounded(subscribeSchema, message);
  stillValid(follower);
  const state = stateOf(hall.feed);
  const answers: Record<string, SubscribeAck[string]> = {};
  const followed: (readonly [channel: string, cursor: Cursor | null])[] = [];
  for (const [channel, cursor] of Object.entries(channels)) {
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

/** Writes what the cursor lacks and makes the socket a follower from there on: no hole and no double in between. */
async function resume(
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
  door.counted.resumes[isFalse ? 'ahead' : resumed.kind] += 1;
  if (resumed.kind === 'current') {
    following.to = cursor?.[1] ?? feed.head;
    return;
  }
  hall.write(follower, resumed.frame);
  following.to = resumed.frame.to;
}
