/** Which demo this installation has: none, the one that goes on, or a fresh one. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Feed } from '#libs/feed';
import { Refusal } from '#libs/protocol';
import type { JoinCodeDocument } from '../conference/conferences/documents.js';
import type { SessionDocument } from '../conference/sessions/documents.js';
import { openFeed } from '../doors/open-feed.js';
import { type Player, type PlayerPorts, play, takenOver } from './player.js';
import { SESSIONS } from './programme.js';
import { scriptOf } from './script.js';

export interface DemoPorts extends PlayerPorts {
  readonly feed: Pick<Feed, 'conferences' | 'open'>;
  /** Milliseconds; tests hurry. */
  readonly openWithinMs?: number;
}

export interface Demo {
  readonly conference: string;
  readonly joinCode: string;
  readonly player: Player;
}

const NAME = 'demo';
/** The first talk has just begun when somebody looks. */
const HEAD_START_MS = 150_000;
const FIRST = SESSIONS[0]?.id ?? '';

/**
 * Opens or goes on with the demo; undefined: there are conferences and none of them is a demo that still plays. A demo that cannot
 * be opened is logged, and is no reason not to start.
 */
export async function startDemo(ports: DemoPorts): Promise<Demo | undefined> {
  try {
    return await choose(ports);
  } catch (err) {
    ports.logger.warn({ err }, 'the demo did not open; the service goes on without it');
    return undefined;
  }
}

async function choose(ports: DemoPorts): Promise<Demo | undefined> {
  const known = await ports.feed.conferences();
  if (known.length === 0) return begin(ports, NAME);
  const latest = known.filter((id) => /^demo(-\d+)?$/.test(id)).sort((a, b) => numberOf(b) - numberOf(a))[0];
  if (!latest || (await takenOver({ ...ports, conference: latest }))) return undefined;
  const beginning = await beginningOf(ports, latest);
  // It was stopped before the first session was planned: what is done is done once, the rest is planned from now.
  if (beginning === undefined) return begin(ports, latest);
  const length = (scriptOf(latest, beginning).at(-1)?.at ?? 0) * 1_000;
  // Nobody took part in the last one, and it is over: today is another day.
  if (beginning + length < Date.now()) return begin(ports, `${NAME}-${numberOf(latest) + 1}`);
  return started(ports, latest, beginning);
}

const numberOf = (id: string): number => Number(id.split('-')[1] ?? 1);

async function begin(ports: DemoPorts, conference: string): Promise<Demo> {
  return started(ports, conference, Date.now() - HEAD_START_MS);
}

async function started(ports: DemoPorts, conference: string, beginning: number): Promise<Demo> {
  const player = play({ ...ports, conference, beginning });
  try {
    const joinCode = await patiently(ports, async () => {
      const document = await read<JoinCodeDocument>(ports.feed, conference, 'join', 'join/code');
      return document?.code ?? 'not yet';
    });
    return { conference, joinCode, player };
  } catch (error) {
    await player.stop();
    throw error;
  }
}

async function beginningOf(ports: DemoPorts, conference: string): Promise<number | undefined> {
  return patiently(ports, async () => {
    const session = await read<SessionDocument>(ports.feed, conference, 'schedule', `session/${FIRST}`);
    return session && Date.parse(session.planned.start);
  });
}

const OPEN_WITHIN_MS = 20_000;
const LOOK_MS = 50;

/** Looks again while it is not there yet or cannot be read now. @throws Error: not in time */
async function patiently<T>(
  { openWithinMs = OPEN_WITHIN_MS }: DemoPorts,
  look: () => Promise<T | 'not yet'>,
): Promise<T> {
  const end = Date.now() + openWithinMs;
  do {
    try {
      const seen = await look();
      if (seen !== 'not yet') return seen;
    } catch (error) {
      // Below 200: "try again".
      if (!(error instanceof Refusal) || error.code >= 200) throw error;
    }
    await wait(LOOK_MS);
  } while (Date.now() < end);
  throw new Error(`the demo was not there within ${openWithinMs} ms`);
}

async function read<T>(feed: DemoPorts['feed'], conference: string, channel: string, key: string) {
  try {
    const { feed: opened, release } = await openFeed(feed, conference);
    const body = opened.document(channel, key)?.body as T | undefined;
    release();
    return body;
  } catch (error) {
    if (error instanceof Refusal && error.refusal === 'unknown-conference') return undefined;
    throw error;
  }
}
