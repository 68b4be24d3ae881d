/** Times as schedules write them → instants. */
import { Temporal } from 'temporal-polyfill';

/** Minutes of `H:MM`, `HH:MM` or `HH:MM:SS`; undefined if it is none of them. `exact` is false for three parts, which some read as days. */
export function parseDuration(text: string): { readonly minutes: number; readonly exact: boolean } | undefined {
  const match = /^(\d{1,3}):(\d{2})(?::(\d{2}))?$/.exec(text);
  if (!match) return undefined;
  const [, hours, minutes, seconds] = match;
  const total = Number(hours) * 60 + Number(minutes) + Number(seconds ?? 0) / 60;
  return total > 0 && total <= 7 * 24 * 60 ? { minutes: total, exact: seconds === undefined } : undefined;
}

export function isTimeZone(name: string): boolean {
  try {
    Temporal.Now.zonedDateTimeISO(name);
    return true;
  } catch {
    return false;
  }
}

/** A date-time with offset → UTC instant; undefined if it has none or is not one. */
export function parseInstant(text: string): string | undefined {
  try {
    return Temporal.Instant.from(text).toString({ fractionalSecondDigits: 3 });
  } catch {
    return undefined;
  }
}

/** HH:MM of an instant on the clock of a zone. */
export const clockOf = (instant: string, timeZone: string): string =>
  Temporal.Instant.from(instant).toZonedDateTimeISO(timeZone).toPlainTime().toString({ smallestUnit: 'minute' });

export interface LocalTime {
  /** YYYY-MM-DD of the conference day. */
  readonly day: string;
  /** HH:MM[:SS] on the wall. */
  readonly time: string;
  readonly timeZone: string;
  /** HH:MM: a session before it belongs to the day before. */
  readonly dayChange: string;
}

/** Old files give a day and a wall-clock time only; what is before the day change happens on the next calendar date. */
export function instantOfLocal({
  day,
  time,
  timeZone,
  dayChange,
}: LocalTime): { readonly instant: string; readonly ambiguous: boolean } | undefined {
  try {
    const clock = Temporal.PlainTime.from(time.padStart(5, '0'));
    const early = Temporal.PlainTime.compare(clock, Temporal.PlainTime.from(dayChange)) < 0;
    const local = Temporal.PlainDate.from(day)
      .add({ days: early ? 1 : 0 })
      .toPlainDateTime(clock);
    const [first, second] = (['earlier', 'later'] as const).map((disambiguation) =>
      local.toZonedDateTime(timeZone, { disambiguation }),
    );
    if (!first || !second) return undefined;
    return { instant: first.toInstant().toString({ fractionalSecondDigits: 3 }), ambiguous: !first.equals(second) };
  } catch {
    return undefined;
  }
}

export const plusMinutes = (instant: string, minutes: number): string =>
  new Date(Date.parse(instant) + minutes * 60_000).toISOString();
