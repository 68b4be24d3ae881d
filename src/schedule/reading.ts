/** What readers of all formats share: from the raw strings of a source to sessions and rooms, with a note of everything guessed or left out. */

import { v5 as uuidv5 } from 'uuid';
import { defineLimit } from '#libs/limits';
import type { Oddity, ParsedRoom, ParsedSchedule, ParsedSession } from './parsed-schedule.js';
import { clockOf, instantOfLocal, isTimeZone, parseDuration, parseInstant, plusMinutes } from './times.js';

/** Namespace for ids of things whose source gives none. */
export const DERIVED = 'd9f1b7a4-6f0e-5d43-9d7b-3f6e2f1c0a55';
export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const MAX_SESSIONS = defineLimit({
  name: 'schedule.sessions',
  value: 10_000,
  unit: 'sessions',
  beyond: 'the file is refused with 201',
});
const MAX_LENGTH_MS = defineLimit({
  name: 'schedule.session.length',
  value: 7 * 24 * 3_600_000,
  unit: 'ms',
  beyond: 'the end is taken from the duration, or the session is left out',
});

/** Its message is for the one who imports: a place and a reason, never the text itself. */
export class ScheduleUnreadable extends Error {
  override readonly name = 'ScheduleUnreadable';
}

/** Text as the source has it; absent and empty are the same. */
type Raw = string | undefined;

export interface RawHeader {
  readonly title: Raw;
  readonly acronym: Raw;
  readonly timeZone: Raw;
  readonly dayChange: Raw;
  readonly version: Raw;
  /** The first day, from when to when. */
  readonly day: { readonly start: Raw; readonly end: Raw };
}

export interface RawRoom {
  readonly name: Raw;
  readonly guid: Raw;
  readonly capacity?: number;
}

export interface RawEvent {
  readonly guid: Raw;
  readonly slug: Raw;
  readonly id: Raw;
  readonly title: Raw;
  /** Instant with offset. */
  readonly date: Raw;
  /** YYYY-MM-DD of the day it stands in. */
  readonly day: Raw;
  /** HH:MM on the conference's clock. */
  readonly start: Raw;
  /** Instant with offset. */
  readonly end?: Raw;
  readonly duration: Raw;
  /** The room it stands in, and the one it names itself. */
  readonly room: RawRoom;
  readonly ownRoom: Raw;
  readonly facts: Readonly<Record<'subtitle' | 'abstract' | 'type' | 'track' | 'language' | 'url', Raw>>;
  readonly speakers: readonly string[];
}

interface KnownRoom {
  readonly guid: string | undefined;
  readonly parsed: ParsedRoom;
}

type Note = (what: string) => void;

export class Reading {
  private readonly odd: Oddity[] = [];
  private readonly header: Pick<ParsedSchedule, 'title' | 'acronym' | 'timeZone' | 'dayChange' | 'version'>;
  private readonly rooms: ParsedRoom[] = [];
  private readonly roomsByName = new Map<string, KnownRoom[]>();
  private readonly roomIds = new Set<string>();
  private readonly sessions = new Map<string, ParsedSession>();

  constructor(raw: RawHeader) {
    this.header = this.readHeader(raw);
  }

  finish(): ParsedSchedule {
    const sessions = [...this.sessions.values()];
    const used = new Set(sessions.map(({ room }) => room));
    const rooms = this.rooms.filter(({ id }) => used.has(id));
    return { ...this.header, rooms, sessions, odd: this.odd };
  }

  /** Gives a room its place in the order of rooms. One that never gets a session is left out: sources list whatever the building has. */
  room(raw: RawRoom): void {
    if (raw.name) this.roomOf(raw, raw.name);
  }

  /** @throws ScheduleUnreadable if there are too many */
  event(raw: RawEvent): void {
    const at = (raw.guid || raw.slug || raw.id || '(unnamed)').slice(0, 100);
    const note: Note = (what) => void this.odd.push({ at, what });
    const session = this.sessionOf(raw, note);
    if (typeof session === 'string') note(`${session}; left out`);
    else this.sessions.set(session.id, session);
  }

  private sessionOf(raw: RawEvent, note: Note): ParsedSession | string {
    const { title, ownRoom, speakers } = raw;
    if (!title) return 'no title';
    const start = this.startOf(raw, note);
    if (!start) return 'no readable start';
    const end = endOf(raw, start, note);
    if (!end) return 'no readable duration';
    if (this.sessions.size >= MAX_SESSIONS) throw new ScheduleUnreadable(`more than ${MAX_SESSIONS} sessions`);
    if (ownRoom && raw.room.name && ownRoom !== raw.room.name)
      note('its room differs from the room it stands in; the outer one is used');
    const room = this.roomOf(raw.room, raw.room.name || ownRoom || 'Unnamed room');
    const id = this.tellApart(this.identityOf(raw, note), `${room}|${start}`, note);
    const facts = Object.entries({ ...raw.facts, url: urlOf(raw.facts.url, note) }).filter(([, value]) => value);
    return { id, title, start, end, room, speakers, ...(Object.fromEntries(facts) as Partial<ParsedSession>) };
  }

  private readHeader({
    title,
    acronym,
    timeZone: zone,
    dayChange: change,
    version,
    day,
  }: RawHeader): typeof this.header {
    const timeZone = zone && isTimeZone(zone) ? zone : undefined;
    const note: Note = (what) => void this.odd.push({ at: 'file', what });
    if (!timeZone)
      note(zone ? 'unknown time zone; UTC is used' : 'no time zone; UTC is used where a time has no offset');
    if (!acronym) note('no acronym');
    const dayChange = /^\d{1,2}:\d{2}/.exec(change ?? '')?.[0]?.padStart(5, '0') ?? dayChangeOf(day, timeZone ?? 'UTC');
    return {
      title: title ?? acronym ?? 'Untitled conference',
      ...(acronym ? { acronym } : {}),
      ...(timeZone ? { timeZone } : {}),
      ...(dayChange ? { dayChange } : {}),
      ...(version ? { version } : {}),
    };
  }

  /** The instant of its date, else the day's date with its start on the conference's clock. */
  private startOf({ date, day, start: time }: RawEvent, note: Note): string | undefined {
    const instant = date && parseInstant(date);
    if (instant) return instant;
    if (!time || !day) return undefined;
    const { timeZone = 'UTC', dayChange = '04:00' } = this.header;
    const local = instantOfLocal({ day, time, timeZone, dayChange });
    note(date ? 'unreadable date; day and start are used' : 'no date; day and start are used');
    if (local?.ambiguous) note('the clock shows this start twice or never (daylight saving); the earlier is used');
    return local?.instant;
  }

  private identityOf({ guid, slug, id, title }: RawEvent, note: Note): string {
    if (guid && UUID.test(guid)) return guid.toLowerCase();
    note(guid ? 'guid is not a UUID; an id is derived from it' : 'no guid; an id is derived from slug or id');
    return this.derive(guid || slug || id || title || '');
  }

  /** Two sessions with one guid are told apart by room and time, so that neither replaces the other at each import. */
  private tellApart(id: string, roomAndTime: string, note: Note): string {
    if (!this.sessions.has(id)) return id;
    note('this guid occurs more than once; told apart by room and time');
    return uuidv5(`${id}|${roomAndTime}`, DERIVED);
  }

  /** Rooms are known by name, which most sources only give; a guid tells two of one name apart. */
  private roomOf({ guid: given, capacity }: RawRoom, name: string): string {
    const guid = given && UUID.test(given) ? given.toLowerCase() : undefined;
    const named = this.roomsByName.get(name) ?? [];
    const known = named.find((one) => !guid || !one.guid || one.guid === guid);
    if (known) return known.parsed.id;
    if (guid && this.roomIds.has(guid))
      this.odd.push({ at: guid, what: 'two rooms with this guid; told apart by name' });
    const id = guid && !this.roomIds.has(guid) ? guid : this.derive(`room|${name}`);
    const parsed = { id, name, ...(capacity === undefined ? {} : { capacity }) };
    this.roomsByName.set(name, [...named, { guid, parsed }]);
    this.roomIds.add(id);
    this.rooms.push(parsed);
    return id;
  }

  private derive(name: string): string {
    return uuidv5(`${this.header.acronym ?? this.header.title}|${name}`, DERIVED);
  }
}

/** By convention (pretalx, our export) a day lasts from its change to one minute before the next; other spans say nothing about it. */
function dayChangeOf({ start, end }: RawHeader['day'], timeZone: string): string | undefined {
  const [from, to] = [start && parseInstant(start), end && parseInstant(end)];
  if (!from || !to) return undefined;
  const change = clockOf(from, timeZone);
  return clockOf(plusMinutes(to, 1), timeZone) === change ? change : undefined;
}

function endOf({ end, duration: written }: RawEvent, start: string, note: Note): string | undefined {
  const instant = end && parseInstant(end);
  const length = instant ? Date.parse(instant) - Date.parse(start) : 0;
  if (instant && length > 0 && length <= MAX_LENGTH_MS) return instant;
  const duration = parseDuration(written ?? '');
  if (!duration) return undefined;
  if (end) note('unreadable end; the duration is used');
  if (!duration.exact) note('three-part duration read as hours, minutes, seconds');
  return plusMinutes(start, duration.minutes);
}

function urlOf(url: Raw, note: Note): string | undefined {
  if (!url) return undefined;
  if (URL.canParse(url) && /^https?:/.test(url)) return url;
  note('its address is not an absolute http address; left out');
  return undefined;
}
