/** Strict writer of schedule.json version 1, read back by our reader to the same. */
import { acronymOf, pageOf } from './guids.js';
import { instantText, type Published, type PublishedDay, type PublishedSession, uriOf } from './published.js';
import { tracksOf } from './write-xml.js';

/** As in schedule.xml, times are the planned ones, and cancelled sessions are left out. */
export function writeJson(schedule: Published): string {
  const { id, title, timeZone, version, rooms, days, publicUrl } = schedule;
  // Its acronyms have no hyphens; `slugFrom` brings them back.
  const acronym = acronymOf(id).replaceAll('-', '_');
  return JSON.stringify({
    $schema: 'https://c3voc.de/schedule/schema.json',
    generator: { name: 'Hallway', url: publicUrl },
    schedule: {
      version: String(version),
      base_url: `${publicUrl}/c/${id}/`,
      conference: {
        acronym,
        title,
        start: days[0]?.date,
        end: days.at(-1)?.date,
        daysCount: days.length,
        timeslot_duration: '00:05',
        time_zone_name: timeZone,
        url: `${publicUrl}/c/${id}`,
        tracks: tracksOf(schedule).map((name) => ({ name })),
        rooms: rooms.map(({ name, guid, capacity }) => ({ name, guid, capacity })),
        days: days.map((day) => dayOf(schedule, day)),
      },
    },
  });
}

function dayOf(schedule: Published, { index, date, start, end, sessions }: PublishedDay): object {
  const byRoom = Map.groupBy(sessions, ({ room }) => room.name);
  // From entries and not by assignment: a room may be called __proto__.
  const rooms = Object.fromEntries(
    [...byRoom].map(([name, inRoom]) => [name, inRoom.map((session) => eventOf(schedule, session))]),
  );
  return { index, date, day_start: instantText(start), day_end: instantText(end), rooms };
}

function eventOf({ id, publicUrl }: Published, { guid, number, room, document, start, end }: PublishedSession): object {
  const { title, subtitle, kind, abstract, track, language, url, speakers, recording } = document;
  const minutes = Math.max(1, Math.round((end.epochMilliseconds - start.epochMilliseconds) / 60_000));
  const two = (value: number) => String(value).padStart(2, '0');
  return {
    guid,
    id: number,
    date: instantText(start),
    start: start.toPlainTime().toString({ smallestUnit: 'minute' }),
    end: instantText(end),
    duration: `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`,
    room: room.name,
    slug: `${id}-${number}`,
    url: url === null ? pageOf(publicUrl, id, document.id) : uriOf(url),
    title,
    subtitle,
    track,
    type: kind,
    language,
    abstract,
    persons: speakers.map((name) => ({ name })),
    links: recording === null ? [] : [{ type: 'media', title: 'Recording', url: uriOf(recording) }],
  };
}
