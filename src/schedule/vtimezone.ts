/** VTIMEZONE of a zone from the runtime's own zone data, exact for a span of time: past and exceptional changes included. */
import ICAL from 'ical.js';
import { Temporal } from 'temporal-polyfill';

/** @param from,to milliseconds since 1970, at most some decades apart: every change of the clock in between is listed */
export function vtimezone(timeZone: string, from: number, to: number): ICAL.Component {
  const component = new ICAL.Component('vtimezone');
  const first = Temporal.Instant.fromEpochMilliseconds(from).toZonedDateTimeISO(timeZone);
  component.addPropertyWithValue('tzid', first.timeZoneId);
  let change = first.getTimeZoneTransition('previous');
  if (!change)
    component.addSubcomponent(observance(Temporal.PlainDateTime.from('1970-01-01T00:00'), first.offsetNanoseconds));
  for (change ??= first.getTimeZoneTransition('next'); change && change.epochMilliseconds <= to; ) {
    const before = change.subtract({ nanoseconds: 1 }).offsetNanoseconds;
    component.addSubcomponent(observance(change.toPlainDateTime(), change.offsetNanoseconds, before));
    change = change.getTimeZoneTransition('next');
  }
  return component;
}

/** From this moment the clock goes by this offset; its beginning is written on the clock that went before. */
function observance(begins: Temporal.PlainDateTime, offset: number, before = offset): ICAL.Component {
  const component = new ICAL.Component(offset > before ? 'daylight' : 'standard');
  component.addPropertyWithValue('dtstart', localTime(begins.add({ nanoseconds: before - offset })));
  component.addPropertyWithValue('tzoffsetfrom', ICAL.UtcOffset.fromSeconds(before / 1e9));
  component.addPropertyWithValue('tzoffsetto', ICAL.UtcOffset.fromSeconds(offset / 1e9));
  return component;
}

type OnClock = Pick<Temporal.PlainDateTime, 'year' | 'month' | 'day' | 'hour' | 'minute' | 'second'>;

/** Without a zone of its own. */
export const localTime = ({ year, month, day, hour, minute, second }: OnClock): ICAL.Time =>
  new ICAL.Time({ year, month, day, hour, minute, second, isDate: false }, ICAL.Timezone.localTimezone);
