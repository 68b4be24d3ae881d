import { defineLimit } from '#libs/limits';

/** Instants as people read them, on the conference's clock: never a time that could be another day's, or that comes twice. Pure. */

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** As far as a weekday alone says which day. */
const WEEKDAY_DAYS = 6;
/** Formats and days in memory; more than a page ever needs. */
const MAX_REMEMBERED = defineLimit({
  name: 'times.formats',
  value: 500,
  unit: 'entries',
  beyond: 'the memory of formats starts again',
});

type Style = 'time' | 'day' | 'weekday' | 'date' | 'zone';
const STYLES: Readonly<Record<Style, Intl.DateTimeFormatOptions>> = {
  time: { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  day: { year: 'numeric', month: '2-digit', day: '2-digit' },
  weekday: { weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  date: { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  zone: { timeZoneName: 'short' },
};
const formats = new Map<string, Intl.DateTimeFormat>();
const changes = new Map<string, boolean>();

/** HH:MM; in the hour that clocks show twice, with the zone's abbreviation. @param instant milliseconds since 1970 */
export function clock(instant: number, timeZone: string, language: string): string {
  return withZone(formatOf('time', timeZone, language).format(instant), instant, timeZone, language);
}

/** As `clock`, with the weekday, or further away the date, where it is not today. @param now server time, milliseconds since 1970 */
export function when(instant: number, now: number, timeZone: string, language: string): string {
  const day = formatOf('day', timeZone, 'en');
  if (day.format(instant) === day.format(now)) return clock(instant, timeZone, language);
  const style = Math.abs(instant - now) < WEEKDAY_DAYS * DAY ? 'weekday' : 'date';
  return withZone(formatOf(style, timeZone, language).format(instant), instant, timeZone, language);
}

function withZone(said: string, instant: number, timeZone: string, language: string): string {
  if (!comesTwice(instant, timeZone)) return said;
  const parts = formatOf('zone', timeZone, language).formatToParts(instant);
  return `${said} ${parts.find(({ type }) => type === 'timeZoneName')?.value ?? ''}`.trim();
}

/** Whether clocks there show the same time half an hour to two hours earlier or later, too. */
function comesTwice(instant: number, timeZone: string): boolean {
  if (!changesAround(instant, timeZone)) return false;
  const time = formatOf('time', timeZone, 'en');
  const shown = time.format(instant);
  return [0.5, 1, 2].some((hours) => [-hours, hours].some((shift) => time.format(instant + shift * HOUR) === shown));
}

/** Whether clocks there are set in the days around; asked for each time that is shown, so it is remembered by day. */
function changesAround(instant: number, timeZone: string): boolean {
  const day = Math.floor(instant / DAY);
  const key = `${timeZone} ${day}`;
  const known = changes.get(key);
  if (known !== undefined) return known;
  const time = formatOf('time', timeZone, 'en');
  const changed = time.format((day - 1) * DAY) !== time.format((day + 2) * DAY);
  if (changes.size >= MAX_REMEMBERED) changes.clear();
  changes.set(key, changed);
  return changed;
}

function formatOf(style: Style, timeZone: string, language: string): Intl.DateTimeFormat {
  const key = `${style} ${timeZone} ${language}`;
  const known = formats.get(key);
  if (known) return known;
  if (formats.size >= MAX_REMEMBERED) formats.clear();
  const format = new Intl.DateTimeFormat(language, { ...STYLES[style], timeZone });
  formats.set(key, format);
  return format;
}
