/** Lenient reader of frab / pentabarf schedule.xml, old and new. What it had to guess or leave out is in the report. */
import type { ParsedSchedule } from './parsed-schedule.js';
import { type RawRoom, Reading, ScheduleUnreadable } from './reading.js';
import { child, children, type Element, parseXml, textOf } from './xml-tree.js';

/** @throws ScheduleUnreadable if it is not XML, or not a schedule */
export function readFrabXml(xml: string): ParsedSchedule {
  const root = parseXml(xml);
  if (root.name !== 'schedule') throw new ScheduleUnreadable('the root element is not <schedule>');
  const conference = child(root, 'conference');
  if (!conference) throw new ScheduleUnreadable('<schedule> has no <conference>');
  const days = children(root, 'day');
  const reading = new Reading({
    title: textOf(conference, 'title'),
    acronym: textOf(conference, 'acronym'),
    timeZone: textOf(conference, 'time_zone_name'),
    dayChange: textOf(conference, 'day_change'),
    version: textOf(root, 'version') ?? textOf(conference, 'release'),
    day: { start: days[0]?.attributes.start, end: days[0]?.attributes.end },
  });
  for (const day of days) {
    for (const element of children(day, 'room')) {
      const room = { name: element.attributes.name, guid: element.attributes.guid };
      reading.room(room);
      for (const event of children(element, 'event')) readEvent(reading, day, room, event);
    }
  }
  return reading.finish();
}

function readEvent(reading: Reading, day: Element, room: RawRoom, event: Element): void {
  const text = (name: string) => textOf(event, name);
  reading.event({
    guid: event.attributes.guid,
    slug: text('slug'),
    id: event.attributes.id,
    title: text('title'),
    date: text('date'),
    day: day.attributes.date,
    start: text('start'),
    duration: text('duration'),
    room,
    ownRoom: text('room'),
    facts: {
      subtitle: text('subtitle'),
      abstract: text('abstract') ?? text('description'),
      type: text('type'),
      track: text('track'),
      language: text('language'),
      url: text('url'),
    },
    speakers: children(child(event, 'persons') ?? event, 'person').flatMap((person) => person.text || []),
  });
}
