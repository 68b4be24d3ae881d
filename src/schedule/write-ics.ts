/** Writer of iCalendar (RFC 5545): what calendars of attendees show. Unlike the schedule formats it knows delays and cancellations. */
import ICAL from 'ical.js';
import { Temporal } from 'temporal-polyfill';
import { pageOf } from './guids.js';
import { type Published, type PublishedSession, printable, uriOf } from './published.js';
import { localTime, vtimezone } from './vtimezone.js';

/** @param now when the calendar is made; part of it */
export function writeIcs(schedule: Published, now: Date): string {
  const { title, timeZone, sessions } = schedule;
  const calendar = new ICAL.Component('vcalendar');
  calendar.addPropertyWithValue('version', '2.0');
  calendar.addPropertyWithValue('prodid', '-//Hallway//Hallway//EN');
  calendar.addPropertyWithValue('calscale', 'GREGORIAN');
  calendar.addPropertyWithValue('method', 'PUBLISH');
  for (const name of ['name', 'x-wr-calname']) calendar.addPropertyWithValue(name, line(title));
  const times = sessions.map(announced);
  const from = times.reduce((least, { start }) => Math.min(least, start.epochMilliseconds), now.getTime());
  const to = times.reduce((most, { end }) => Math.max(most, end.epochMilliseconds), now.getTime());
  calendar.addSubcomponent(vtimezone(timeZone, from, to));
  const stamp = ICAL.Time.fromJSDate(now, true);
  for (const session of sessions) calendar.addSubcomponent(eventOf(schedule, session, stamp));
  return `${calendar.toString()}\r\n`;
}

function eventOf({ id, publicUrl }: Published, session: PublishedSession, stamp: ICAL.Time): ICAL.Component {
  const { guid, version, room, document } = session;
  const { title, subtitle, abstract, track, url, speakers, because, state } = document;
  const event = new ICAL.Component('vevent');
  const add = (name: string, value: string | number | ICAL.Time) => event.addPropertyWithValue(name, value);
  add('uid', guid);
  add('dtstamp', stamp);
  add('sequence', version);
  const { start, end } = announced(session);
  addTime(event, 'dtstart', start);
  addTime(event, 'dtend', end);
  add('summary', line(title));
  add('location', line(room.name));
  const description = [because, speakers.join(', '), subtitle, abstract].filter(Boolean).join('\n\n');
  if (description) add('description', printable(description).replaceAll(/\r\n?/g, '\n'));
  if (track) add('categories', line(track));
  add('url', url === null ? pageOf(publicUrl, id, document.id) : uriOf(url));
  add('status', state === 'cancelled' ? 'CANCELLED' : 'CONFIRMED');
  return event;
}

/** On the conference's clock; in UTC what that shows twice when it is set back: readers do not agree which of the two is meant. */
function addTime(event: ICAL.Component, name: string, at: Temporal.ZonedDateTime): void {
  const [first, second] = (['earlier', 'later'] as const).map((disambiguation) =>
    at.toPlainDateTime().toZonedDateTime(at.timeZoneId, { disambiguation }),
  );
  if (first?.epochMilliseconds === second?.epochMilliseconds)
    event.addPropertyWithValue(name, localTime(at)).setParameter('tzid', at.timeZoneId);
  else event.addPropertyWithValue(name, ICAL.Time.fromJSDate(new Date(at.epochMilliseconds), true));
}

/** A delay that was announced moves both ends; when it really began is not a matter for calendars. */
function announced({ start, end, document }: PublishedSession): Pick<PublishedSession, 'start' | 'end'> {
  if (document.expectedStart === null) return { start, end };
  const delay = start.until(Temporal.Instant.from(document.expectedStart).toZonedDateTimeISO(start.timeZoneId), {
    largestUnit: 'hour',
  });
  return { start: start.add(delay), end: end.add(delay) };
}

const line = (text: string): string => printable(text).replaceAll(/\s+/g, ' ');
