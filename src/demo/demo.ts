/** Which demo this installation has: none, the one that goes on, or a fresh one. */
import type { Feed } from '#libs/feed';
import { Refusal } from '#libs/protocol';
import type { JoinCodeDocument } from '../conference/conferences/documents.js';
import type { SessionDocument } from '../conference/sessions/documents.js';
import { openFeed } from '../doors/open-feed.js';
import { type Player, type PlayerPorts, play, takenOver } from './player.js';
import { SESSIONS } from './programme.js';
import { scriptOf } from './script.js';

export interface DemoPorts extends PlayerPorts {
  readonly feed: Feed;
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

/** Opens or goes on with the demo; undefined: there are conferences and none of them is a demo that still plays. */
export async function startDemo(ports: DemoPorts): Promise<Demo | undefined> {
  const known = await ports.feed.conferences();
  if (known.length === 0) return begin(ports, NAME);
  const latest = known.filter((id) => /^demo(-\d+)?$/.test(id)).sort((a, b) => numberOf(b) - numberOf(a))[0];
  if (!latest) return undefined;
  const beginning = await beginningOf(ports.feed, latest);
  if (beginning === undefined || (await takenOver({ ...ports, conference: latest }))) return undefined;
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
  const code = await whenOpen(ports.feed, conference);
  return { conference, joinCode: code, player };
}

const OPEN_WITHIN_MS = 20_000;

/** The join code, once the conference is there. */
async function whenOpen(feed: Feed, conference: string): Promise<string> {
  const end = Date.now() + OPEN_WITHIN_MS;
  for (;;) {
    const document = await read<JoinCodeDocument>(feed, conference, 'join', 'join/code');
    if (document) return document.code;
    if (Date.now() > end) throw new Error('the demo conference did not open');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function beginningOf(feed: Feed, conference: string): Promise<number | undefined> {
  const session = await read<SessionDocument>(feed, conference, 'schedule', `session/${FIRST}`);
  return session && Date.parse(session.planned.start);
}

async function read<T>(feed: Feed, conference: string, channel: string, key: string): Promise<T | undefined> {
  try {
    const { feed: opened, release } = await openFeed(feed, conference);
    const body = opened.document(channel, key)?.body as T | undefined;
    release();
    return body;
  } catch (error) {
    if (error instanceof Refusal) return undefined; // Not there yet.
    throw error;
  }
}
