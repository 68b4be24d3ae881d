/**
 * An import is a run of commands of ≤ 100 sessions, closed by one event with the counts. After a crash: import again, the diff does the rest.
 * One after the other: with three on their way at once the cores, not the waiting, set the same pace.
 */
import { v4 as uuidv4, v5 as uuidv5 } from 'uuid';
import { type CommandAck, cleanLine, cleanText, isVisible, Refusal } from '#libs/protocol';
import type { RoomDocument } from '../conference/conferences/documents.js';
import { SESSION_KINDS, type SessionDocument, type SessionKind } from '../conference/sessions/documents.js';
import type { ParsedRoom, ParsedSchedule, ParsedSession } from './parsed-schedule.js';
import { printable, uriOf } from './published.js';

const CHUNK = 100;

export interface ImportPorts {
  /** Sends one command as the one who imports. */
  send(message: { readonly id: string; readonly type: string; readonly data: object }): Promise<CommandAck>;
  /** What the conference has already; null: there is no such conference. */
  known(): Promise<Known | null>;
  onProgress(progress: { readonly phase: string; readonly done: number; readonly total: number }): void;
}

/** By the guid under which they are exported. */
export interface Known {
  readonly rooms: ReadonlyMap<string, RoomDocument>;
  readonly sessions: ReadonlyMap<string, SessionDocument>;
  /** Addresses that begin so are our own pages, which stand in exports where a session has none. */
  readonly pages: string;
}

export interface ImportReport {
  readonly counts: Readonly<Record<string, number>>;
}

const RETRY_MS = 200;
const MOST_RETRIES = 20;
/** Told to wait longer, the import ends with that refusal: whoever started it can start it again later. */
const LONGEST_WAIT_MS = 10_000;

/** @throws Refusal the first chunk that is refused; what came before it stays, and a repeated import goes on from there */
export async function importSchedule(parsed: ParsedSchedule, ports: ImportPorts): Promise<ImportReport> {
  const run = uuidv4();
  let step = 0;
  // A retry within the run keeps the id, so that it acts once.
  const send = async (type: string, data: object): Promise<Exclude<CommandAck, { refusal: unknown }>> => {
    const message = { id: uuidv5(String(step++), run), type, data };
    for (let attempt = 0; ; attempt++) {
      const ack = await ports.send(message);
      if (!('refusal' in ack)) return ack;
      const { code, message: why, retryAfter } = ack.refusal;
      const wait = retryAfter ?? RETRY_MS;
      if (code >= 200 || attempt >= MOST_RETRIES || wait > LONGEST_WAIT_MS)
        throw Refusal.fromCode(code, why, retryAfter);
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  };
  const known = await ports.known();
  if (!known) {
    const { title, timeZone = 'UTC', dayChange = '04:00' } = parsed;
    await send('open-conference', { title: clip(title, 200) ?? 'Untitled', timeZone, dayChange });
  }
  const counts: Record<string, number> = {
    sessions: parsed.sessions.length,
    rooms: parsed.rooms.length,
    changed: 0,
    odd: parsed.odd.length,
  };
  let after: number | undefined;
  const steps = [
    ...chunks(parsed.rooms.map((room, order) => toRoom(room, order, known))).map((rooms) => ({
      phase: 'rooms',
      type: 'define-rooms',
      data: { rooms },
      size: rooms.length,
    })),
    ...chunks(parsed.sessions.map((session) => toImported(session, known))).map((sessions) => ({
      phase: 'sessions',
      type: 'import-sessions',
      data: { sessions },
      size: sessions.length,
    })),
  ];
  const done: Record<string, number> = {};
  for (const { phase, type, data, size } of steps) {
    const ack = await send(type, data);
    if (ack.position !== null) {
      after = ack.position;
      counts.changed = (counts.changed ?? 0) + (phase === 'sessions' ? size : 0);
    }
    done[phase] = (done[phase] ?? 0) + size;
    ports.onProgress({ phase, done: done[phase] ?? 0, total: counts[phase] ?? 0 });
  }
  if (after !== undefined) await send('close-import', { counts });
  return { counts };
}

const chunks = <T>(all: readonly T[]): T[][] =>
  Array.from({ length: Math.ceil(all.length / CHUNK) }, (_, index) => all.slice(index * CHUNK, (index + 1) * CHUNK));

/** As the commands clean it, so that a second import finds nothing changed. */
function clip(text: string | undefined, max: number, clean = cleanLine): string | null {
  if (!text) return null;
  const whole = clean(text.replaceAll(/\p{Cs}/gu, ' '));
  let length = max;
  let clipped = whole;
  // Directions that are cut are closed again, which may take a few characters more.
  for (; clipped.length > max; length -= CLOSERS)
    clipped = clean(whole.slice(0, length).replace(/[\ud800-\udbff]$/, ''));
  return isVisible(clipped) ? clipped : null;
}
const CLOSERS = 20;

const KINDS: readonly (readonly [RegExp, SessionKind])[] = [
  ...SESSION_KINDS.map((kind) => [new RegExp(`^${kind}$`, 'i'), kind] as const),
  [/keynote/i, 'keynote'],
  [/workshop|hands.?on|tutorial|training/i, 'workshop'],
  [/\bama\b|ask me anything/i, 'ama'],
  [/discussion|bof|panel|meet/i, 'discussion'],
  [/break|lunch|pause|coffee/i, 'break'],
  [/social|party|concert|dj|show/i, 'social'],
];

/** What a source does not say about a room (its place in the order, mostly its seats) stays as it is known. */
function toRoom({ id, name, capacity }: ParsedRoom, order: number, known: Known | null): object {
  const room = known?.rooms.get(id);
  const wanted = clip(name, 100) ?? id;
  if (!known || !room) return { id, name: wanted, order, capacity: capacity ?? null };
  // Exports number rooms of one name.
  const numbered = wanted.replace(/ \(\d+\)$/, '') === room.name;
  const isTwin = numbered && [...known.rooms.values()].some((other) => other !== room && other.name === room.name);
  return {
    id: room.id,
    name: isTwin ? room.name : wanted,
    order: room.order,
    capacity: capacity ?? room.capacity,
    floor: room.floor,
  };
}

function toImported(parsed: ParsedSession, known: Known | null): object {
  const { id, title, subtitle, abstract, start, end, room, type, track, language, speakers, url } = parsed;
  const before = known?.sessions.get(id);
  const said = url && url.length <= 2_000 && !(known && url.startsWith(known.pages)) ? url : null;
  return {
    id: before?.id ?? id,
    room: known?.rooms.get(room)?.id ?? room,
    start,
    end,
    kind: KINDS.find(([pattern]) => pattern.test(type ?? ''))?.[1] ?? 'talk',
    title: keep(before?.title, title, 300) ?? 'Untitled',
    subtitle: keep(before?.subtitle, subtitle, 500),
    abstract: keep(before?.abstract, abstract, 1_500, cleanText),
    speakers: speakers.slice(0, 50).flatMap((name, index) => keep(before?.speakers[index], name, 200) ?? []),
    track: keep(before?.track, track, 200),
    language: keep(before?.language, language, 35),
    url: said && before?.url && uriOf(before.url) === said ? before.url : said,
  };
}

/** What was typed by hand may be longer and freer than what we take from a source: no reason to cut it when it comes back in one. */
function keep(
  before: string | null | undefined,
  said: string | undefined,
  max: number,
  clean = cleanLine,
): string | null {
  const wanted = clip(said, max, clean);
  return before && clip(printable(before), max, clean) === wanted ? before : wanted;
}
