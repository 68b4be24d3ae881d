/** Documents of a conference → what all exports write: rooms with names that differ, sessions with guids and numbers, conference days. Pure. */
import { Temporal } from 'temporal-polyfill';
import type { ConferenceDocument, RoomDocument } from '../conference/conferences/documents.js';
import type { SessionDocument } from '../conference/sessions/documents.js';
import { guidOf } from './guids.js';

export interface PublishedRoom {
  readonly id: string;
  readonly guid: string;
  readonly name: string;
  readonly capacity: number | null;
}

export interface PublishedSession {
  readonly guid: string;
  /** 1 … 2³¹−1, the same in every export as long as no other session claims it. */
  readonly number: number;
  readonly room: PublishedRoom;
  readonly document: SessionDocument;
  /** Grows with every change. */
  readonly version: number;
  /** Planned, on the conference's clock. */
  readonly start: Temporal.ZonedDateTime;
  readonly end: Temporal.ZonedDateTime;
}

export interface PublishedDay {
  /** From 1. */
  readonly index: number;
  readonly date: string;
  /** From one day change to a minute before the next: by this our reader knows the change again. */
  readonly start: Temporal.ZonedDateTime;
  readonly end: Temporal.ZonedDateTime;
  readonly sessions: readonly PublishedSession[];
}

export interface Published {
  readonly id: string;
  readonly title: string;
  readonly timeZone: string;
  readonly version: number;
  /** In the order in which they are shown. */
  readonly rooms: readonly PublishedRoom[];
  /** By planned start. */
  readonly sessions: readonly PublishedSession[];
  /** Those with sessions that take place; at least one. */
  readonly days: readonly PublishedDay[];
  /** Address of the service. */
  readonly publicUrl: string;
}

export interface ToPublish {
  readonly id: string;
  readonly publicUrl: string;
  readonly version: number;
  readonly conference: ConferenceDocument;
  readonly rooms: readonly RoomDocument[];
  readonly sessions: readonly { readonly version: number; readonly body: SessionDocument }[];
  readonly now: Date;
}

export function publish({
  id,
  publicUrl,
  version,
  conference,
  rooms: known,
  sessions: all,
  now,
}: ToPublish): Published {
  const { title, timeZone, dayChange } = conference;
  const rooms = publishRooms(id, known);
  const byId = new Map(rooms.map((room) => [room.id, room]));
  const numbers = new Set<number>();
  const sessions = all
    .map(({ version: changed, body }) => ({ version: changed, body, guid: guidOf(id, 'session', body.id) }))
    .sort((a, b) => (a.guid < b.guid ? -1 : 1))
    .flatMap(({ version: changed, body, guid }): PublishedSession[] => {
      const room = byId.get(body.room);
      if (!room) return [];
      const at = (instant: string) => Temporal.Instant.from(instant).toZonedDateTimeISO(timeZone);
      const { start, end } = body.planned;
      return [
        {
          guid,
          number: numberOf(guid, numbers),
          room,
          document: body,
          version: changed,
          start: at(start),
          end: at(end),
        },
      ];
    })
    .sort((a, b) => a.start.epochMilliseconds - b.start.epochMilliseconds);
  const days = daysOf(sessions, Temporal.PlainTime.from(dayChange), now, timeZone);
  return { id, title, timeZone, version, rooms, sessions, days, publicUrl };
}

/** Formats know rooms by name; a second one of the same name gets a number. */
function publishRooms(conference: string, known: readonly RoomDocument[]): PublishedRoom[] {
  const names = new Set<string>();
  return [...known]
    .sort((a, b) => a.order - b.order || (a.id < b.id ? -1 : 1))
    .map(({ id, name: given, capacity }) => {
      let name = given;
      for (let count = 2; names.has(name); count++) name = `${given} (${count})`;
      names.add(name);
      return { id, guid: guidOf(conference, 'room', id), name, capacity };
    });
}

const MAX_NUMBER = 2 ** 31 - 1;
/** Old readers want a number; it comes from the guid, so that it stays. */
function numberOf(guid: string, taken: Set<number>): number {
  let number = (Number.parseInt(guid.slice(-12), 16) % MAX_NUMBER) + 1;
  while (taken.has(number)) number = (number % MAX_NUMBER) + 1;
  taken.add(number);
  return number;
}

function daysOf(
  sessions: readonly PublishedSession[],
  change: Temporal.PlainTime,
  now: Date,
  timeZone: string,
): PublishedDay[] {
  const dateOf = (at: Temporal.ZonedDateTime): string => {
    const early = Temporal.PlainTime.compare(at.toPlainTime(), change) < 0;
    return at
      .toPlainDate()
      .subtract({ days: early ? 1 : 0 })
      .toString();
  };
  const byDate = Map.groupBy(
    sessions.filter(({ document }) => document.state !== 'cancelled'),
    ({ start }) => dateOf(start),
  );
  // The formats want a day even where nothing is planned.
  if (byDate.size === 0)
    byDate.set(dateOf(Temporal.Instant.fromEpochMilliseconds(now.getTime()).toZonedDateTimeISO(timeZone)), []);
  return [...byDate].map(([date, ofDay], index) => {
    const at = (days: number) =>
      Temporal.PlainDate.from(date).add({ days }).toZonedDateTime({ timeZone, plainTime: change });
    return { index: index + 1, date, start: at(0), end: at(1).subtract({ minutes: 1 }), sessions: ofDay };
  });
}

/** `2026-03-29T10:00:00+02:00`, with a fraction only where there is one. */
export const instantText = (at: Temporal.ZonedDateTime): string => at.toString({ timeZoneName: 'never' });

/** Characters that neither XML nor iCalendar can carry. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: leaving them out is the point
const UNPRINTABLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ud800-\udfff\ufffe\uffff]/gu;
export const printable = (text: string): string => text.replaceAll(UNPRINTABLE, '');

/** Addresses as people type them, and browsers take them, have characters that a URI must escape. */
export function uriOf(address: string): string {
  const url = new URL(address);
  for (const part of ['pathname', 'search', 'hash'] as const)
    url[part] = url[part].replaceAll(/[{}|\\^`"<>[\]]/g, encodeURIComponent);
  return url.href;
}
