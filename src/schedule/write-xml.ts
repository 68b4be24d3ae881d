/** Strict writer of schedule.xml: valid by the official schema, read back by our reader to the same. */
import { acronymOf } from './guids.js';
import {
  instantText,
  type Published,
  type PublishedDay,
  type PublishedSession,
  printable,
  uriOf,
} from './published.js';

/**
 * What the format has no word for is left out: cancelled sessions, delays (times are the planned ones), seats. A length beyond
 * 99 hours is written as 99:59:59, the most that the schema allows.
 */
export function writeXml(schedule: Published): string {
  const { id, title, timeZone, version, days, publicUrl } = schedule;
  const conference = [
    element('title', title),
    element('acronym', acronymOf(id)),
    element('start', days[0]?.date ?? ''),
    element('end', days.at(-1)?.date ?? ''),
    element('days', String(days.length)),
    element('timeslot_duration', '00:05'),
    element('base_url', `${publicUrl}/c/${id}`),
    element('time_zone_name', timeZone),
    ...tracksOf(schedule).map((track) => `<track${attributes({ name: track })}/>`),
  ];
  return [
    '<?xml version="1.0" encoding="utf-8"?>',
    '<schedule>',
    `<generator${attributes({ name: 'Hallway', system: publicUrl })}/>`,
    element('url', `${publicUrl}/v1/conferences/${id}/schedule.xml`),
    element('version', String(version)),
    `<conference>${conference.join('')}</conference>`,
    ...days.map((day) => writeDay(schedule, day)),
    '</schedule>',
    '',
  ].join('\n');
}

/** Every day lists every room, so that their order can be read from the first. */
function writeDay({ rooms }: Published, { index, date, start, end, sessions }: PublishedDay): string {
  const byRoom = Map.groupBy(sessions, ({ room }) => room);
  return [
    `<day${attributes({ index: String(index), date, start: instantText(start), end: instantText(end) })}>`,
    ...rooms.flatMap((room) => [
      `<room${attributes({ name: room.name, guid: room.guid })}>`,
      ...(byRoom.get(room) ?? []).map(writeSession),
      '</room>',
    ]),
    '</day>',
  ].join('\n');
}

function writeSession({ guid, number, room, document, start, end }: PublishedSession): string {
  const { title, subtitle, kind, abstract, track, language, url, speakers, recording } = document;
  const persons = speakers.map((name) => element('person', name)).join('');
  return [
    `<event${attributes({ guid, id: String(number) })}>`,
    element('room', room.name),
    element('title', title),
    subtitle === null ? '' : element('subtitle', subtitle),
    element('type', kind),
    element('date', instantText(start)),
    element('start', start.toPlainTime().toString({ smallestUnit: 'second' })),
    element('duration', durationOf(end.epochMilliseconds - start.epochMilliseconds)),
    element('abstract', abstract ?? ''),
    element('track', track ?? ''),
    persons && `<persons>${persons}</persons>`,
    language === null ? '' : element('language', language),
    url === null ? '' : element('url', uriOf(url)),
    recording === null
      ? ''
      : `<recording><license/><optout>false</optout>${element('url', uriOf(recording))}</recording>`,
    '</event>',
  ].join('');
}

export const tracksOf = ({ sessions }: Published): string[] => [
  ...new Set(sessions.flatMap(({ document }) => document.track ?? [])),
];

/** H:MM, with seconds only where there are any. */
export function durationOf(milliseconds: number): string {
  const total = Math.min(Math.max(1, Math.round(milliseconds / 1_000)), 100 * 3_600 - 1);
  const [hours, minutes, seconds] = [Math.floor(total / 3_600), Math.floor(total / 60) % 60, total % 60];
  const two = (value: number) => String(value).padStart(2, '0');
  return `${two(hours)}:${two(minutes)}${seconds > 0 ? `:${two(seconds)}` : ''}`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\n': '&#10;',
  '\r': '&#13;',
  '\t': '&#9;',
};
const escapeText = (text: string): string => printable(text).replaceAll(/[&<>\r]/g, (one) => ESCAPES[one] ?? one);
const escapeAttribute = (text: string): string =>
  printable(text).replaceAll(/[&<>"\n\r\t]/g, (one) => ESCAPES[one] ?? one);
const element = (name: string, text: string): string => `<${name}>${escapeText(text)}</${name}>`;
const attributes = (values: Readonly<Record<string, string>>): string =>
  Object.entries(values)
    .map(([name, value]) => ` ${name}="${escapeAttribute(value)}"`)
    .join('');
