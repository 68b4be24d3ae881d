/** Lenient reader of frab / pentabarf schedule.xml, old and new. What it had to guess or leave out is in the report. */
import { v5 as uuidv5 } from 'uuid';
import type { Oddity, ParsedRoom, ParsedSchedule, ParsedSession } from './parsed-schedule.js';
import { instantOfLocal, isTimeZone, parseDuration, parseInstant, plusMinutes } from './times.js';
import { child, children, type Element, parseXml, ScheduleUnreadable, textOf } from './xml-tree.js';

/** Namespace for ids of things whose source gives none. */
const DERIVED = 'd9f1b7a4-6f0e-5d43-9d7b-3f6e2f1c0a55';
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const MAX_SESSIONS = 10_000;

interface Reading {
  readonly acronym: string;
  readonly timeZone: string;
  readonly dayChange: string;
  readonly odd: Oddity[];
  readonly rooms: Map<string, ParsedRoom>;
  readonly sessions: Map<string, ParsedSession>;
}

/** @throws ScheduleUnreadable if it is not XML, or not a schedule */
export function readFrabXml(xml: string): ParsedSchedule {
  const root = parseXml(xml);
  if (root.name !== 'schedule') throw new ScheduleUnreadable('the root element is not <schedule>');
  const conference = child(root, 'conference');
  if (!conference) throw new ScheduleUnreadable('<schedule> has no <conference>');
  const odd: Oddity[] = [];
  const header = readHeader(conference, odd);
  const reading: Reading = {
    acronym: header.acronym ?? header.title,
    timeZone: header.timeZone ?? 'UTC',
    dayChange: header.dayChange ?? '04:00',
    odd,
    rooms: new Map(),
    sessions: new Map(),
  };
  for (const day of children(root, 'day')) {
    for (const room of children(day, 'room')) {
      for (const event of children(room, 'event')) readEvent(reading, day, room, event);
    }
  }
  const version = textOf(root, 'version') ?? textOf(conference, 'release');
  return {
    ...header,
    ...(version ? { version } : {}),
    rooms: [...reading.rooms.values()],
    sessions: [...reading.sessions.values()],
    odd,
  };
}

function readHeader(
  conference: Element,
  odd: Oddity[],
): Pick<ParsedSchedule, 'acronym' | 'title' | 'timeZone' | 'dayChange'> {
  const zone = textOf(conference, 'time_zone_name');
  const timeZone = zone && isTimeZone(zone) ? zone : undefined;
  if (!timeZone)
    odd.push({
      at: 'file',
      what: zone ? 'unknown time zone; UTC is used' : 'no time zone; UTC is used where a time has no offset',
    });
  const dayChange = /^\d{1,2}:\d{2}/.exec(textOf(conference, 'day_change') ?? '')?.[0]?.padStart(5, '0');
  const acronym = textOf(conference, 'acronym');
  if (!acronym) odd.push({ at: 'file', what: 'no acronym' });
  return {
    title: textOf(conference, 'title') ?? acronym ?? 'Untitled conference',
    ...(acronym ? { acronym } : {}),
    ...(timeZone ? { timeZone } : {}),
    ...(dayChange ? { dayChange } : {}),
  };
}

function readEvent(reading: Reading, day: Element, room: Element, event: Element): void {
  const at = event.attributes.guid || textOf(event, 'slug') || event.attributes.id || '(unnamed)';
  const note = (what: string) => reading.odd.push({ at, what });
  const title = textOf(event, 'title');
  if (!title) return void note('no title; left out');
  const start = readStart(reading, day, event, note);
  if (!start) return void note('no readable start; left out');
  const duration = parseDuration(textOf(event, 'duration') ?? '');
  if (!duration) return void note('no readable duration; left out');
  if (!duration.exact) note('three-part duration read as hours, minutes, seconds');
  if (reading.sessions.size >= MAX_SESSIONS) throw new ScheduleUnreadable(`more than ${MAX_SESSIONS} sessions`);
  const roomId = readRoom(reading, room, event, note);
  const id = tellApart(reading, identityOf(reading, event, note), `${roomId}|${start}`, note);
  const optional = {
    subtitle: textOf(event, 'subtitle'),
    abstract: textOf(event, 'abstract') ?? textOf(event, 'description'),
    type: textOf(event, 'type'),
    track: textOf(event, 'track'),
    language: textOf(event, 'language'),
    url: readUrl(event, note),
  };
  reading.sessions.set(id, {
    id,
    title,
    start,
    end: plusMinutes(start, duration.minutes),
    room: roomId,
    speakers: children(child(event, 'persons') ?? event, 'person').flatMap((person) => person.text || []),
    ...(Object.fromEntries(Object.entries(optional).filter(([, value]) => value)) as Partial<ParsedSession>),
  });
}

/** The instant in <date>, else the day's date with <start> on the conference's clock. */
function readStart(reading: Reading, day: Element, event: Element, note: (what: string) => void): string | undefined {
  const date = textOf(event, 'date');
  const instant = date && parseInstant(date);
  if (instant) return instant;
  const time = textOf(event, 'start');
  const calendarDay = day.attributes.date;
  if (!time || !calendarDay) return undefined;
  const local = instantOfLocal({ day: calendarDay, time, timeZone: reading.timeZone, dayChange: reading.dayChange });
  note(date ? 'unreadable date; day and start are used' : 'no date; day and start are used');
  if (local?.ambiguous) note('the clock shows this start twice or never (daylight saving); the earlier is used');
  return local?.instant;
}

function identityOf(reading: Reading, event: Element, note: (what: string) => void): string {
  const guid = event.attributes.guid;
  if (guid && UUID.test(guid)) return guid.toLowerCase();
  const local = guid || textOf(event, 'slug') || event.attributes.id;
  note(guid ? 'guid is not a UUID; an id is derived from it' : 'no guid; an id is derived from slug or id');
  return uuidv5(`${reading.acronym}|${local ?? textOf(event, 'title')}`, DERIVED);
}

/** Two sessions with one guid are told apart by room and time, so that neither replaces the other at each import. */
function tellApart(reading: Reading, id: string, roomAndTime: string, note: (what: string) => void): string {
  if (!reading.sessions.has(id)) return id;
  note('this guid occurs more than once; told apart by room and time');
  return uuidv5(`${id}|${roomAndTime}`, DERIVED);
}

function readRoom(reading: Reading, room: Element, event: Element, note: (what: string) => void): string {
  const name = room.attributes.name || textOf(event, 'room') || 'Unnamed room';
  const inside = textOf(event, 'room');
  if (inside && room.attributes.name && inside !== room.attributes.name)
    note('its room differs from the room it stands in; the outer one is used');
  const known = reading.rooms.get(name);
  if (known) return known.id;
  const guid = room.attributes.guid;
  const id = guid && UUID.test(guid) ? guid.toLowerCase() : uuidv5(`${reading.acronym}|room|${name}`, DERIVED);
  reading.rooms.set(name, { id, name });
  return id;
}

function readUrl(event: Element, note: (what: string) => void): string | undefined {
  const url = textOf(event, 'url');
  if (!url) return undefined;
  if (URL.canParse(url) && /^https?:/.test(url)) return url;
  note('its address is not an absolute http address; left out');
  return undefined;
}
