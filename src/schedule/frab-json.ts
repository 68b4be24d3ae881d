/** Lenient reader of schedule.json version 1 (frab, pretalx): days, in them rooms by name, in them events. */
import { defineLimit } from '#libs/limits';
import type { ParsedSchedule } from './parsed-schedule.js';
import { type RawRoom, Reading, ScheduleUnreadable } from './reading.js';

const MAX_DEPTH = defineLimit({
  name: 'schedule.json.depth',
  value: 32,
  unit: 'levels',
  beyond: 'the file is refused with 201',
});
/** Values in the file; that of the largest congress has 60,000. */
const MAX_VALUES = defineLimit({
  name: 'schedule.json.values',
  value: 400_000,
  unit: 'items',
  beyond: 'the file is refused with 201',
});
const MAX_SEATS = defineLimit({
  name: 'schedule.room.seats',
  value: 1_000_000,
  unit: 'items',
  beyond: 'the number is left out',
});

type Fields = Readonly<Record<string, unknown>>;

/** @throws ScheduleUnreadable if it is not JSON, or not a schedule of version 1 */
export function readFrabJson(json: string): ParsedSchedule {
  const { schedule } = fieldsOf(parse(json), 'the file');
  const { conference: declared, version, events } = fieldsOf(schedule, '"schedule"');
  const conference = fieldsOf(declared, '"schedule.conference"');
  if (Array.isArray(events))
    throw new ScheduleUnreadable('this is version 2 of the format; version 1, with rooms in days, is read');
  if (!Array.isArray(conference.days)) throw new ScheduleUnreadable('"schedule.conference.days" is not a list');
  const days = conference.days.map(asFields);
  const reading = new Reading({
    title: textOf(conference.title),
    acronym: textOf(conference.acronym),
    timeZone: textOf(conference.time_zone_name),
    dayChange: undefined,
    version: textOf(version),
    day: { start: textOf(days[0]?.day_start), end: textOf(days[0]?.day_end) },
  });
  const rooms = new Map(listOf(conference.rooms).map((room) => [textOf(room.name), roomOf(room)]));
  for (const room of rooms.values()) reading.room(room);
  for (const day of days) {
    for (const [name, inRoom] of Object.entries(asFields(day.rooms))) {
      const room = rooms.get(name.trim()) ?? { name: name.trim() || undefined, guid: undefined };
      reading.room(room);
      for (const event of listOf(inRoom)) readEvent(reading, day, room, event);
    }
  }
  return reading.finish();
}

function readEvent(reading: Reading, day: Fields, room: RawRoom, event: Fields): void {
  reading.event({
    guid: textOf(event.guid),
    slug: textOf(event.slug),
    id: textOf(event.id),
    title: textOf(event.title),
    date: textOf(event.date),
    day: textOf(day.date),
    start: textOf(event.start),
    end: textOf(event.end),
    duration: textOf(event.duration),
    room,
    ownRoom: textOf(event.room),
    facts: {
      subtitle: textOf(event.subtitle),
      abstract: textOf(event.abstract) ?? textOf(event.description),
      type: textOf(event.type),
      track: textOf(event.track),
      language: textOf(event.language),
      url: textOf(event.url),
    },
    speakers: listOf(event.persons).flatMap(({ public_name: frab, name }) => textOf(frab) ?? textOf(name) ?? []),
  });
}

const roomOf = ({ name, guid, capacity }: Fields): RawRoom => ({
  name: textOf(name),
  guid: textOf(guid),
  ...(Number.isInteger(capacity) && Number(capacity) >= 0 && Number(capacity) <= MAX_SEATS
    ? { capacity: Number(capacity) }
    : {}),
});

/** Numbers as text too: some write ids the one way, some the other. */
const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' || typeof value === 'number' ? String(value).trim() || undefined : undefined;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const asFields = (value: unknown): Fields => (isFields(value) ? value : {});
const listOf = (value: unknown): readonly Fields[] => (Array.isArray(value) ? value.filter(isFields) : []);

function fieldsOf(value: unknown, what: string): Fields {
  if (isFields(value)) return value;
  throw new ScheduleUnreadable(`${what} is not an object`);
}

function parse(json: string): unknown {
  checkBounds(json);
  try {
    return JSON.parse(json);
  } catch (error) {
    // The engine's message quotes the text; only its place is told.
    const [, line, column] = /line (\d+) column (\d+)/.exec((error as Error).message) ?? [];
    throw new ScheduleUnreadable(line ? `line ${line}, column ${column}: this is not JSON` : 'this is not JSON');
  }
}

/** Before parsing: a few megabytes of brackets would become hundreds of them in memory. */
function checkBounds(json: string): void {
  let depth = 0;
  let values = 0;
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{},]/gs)) {
    if (token === '[' || token === '{') depth++;
    else if (token === ']' || token === '}') depth--;
    else if (token === ',') values++;
    if (depth > MAX_DEPTH) throw new ScheduleUnreadable(`nested deeper than ${MAX_DEPTH}`);
    if (values > MAX_VALUES) throw new ScheduleUnreadable(`more than ${MAX_VALUES} values`);
  }
}
