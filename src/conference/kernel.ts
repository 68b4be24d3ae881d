/** What all capabilities share: ids, texts, instants, and the mark of personal fields. */

import { Temporal } from 'temporal-polyfill';
import { z } from 'zod';
import { cleanLine, cleanText, isPlain, isStorable, Refusal } from '#libs/protocol';

const UNSTORABLE = 'has characters that cannot be stored';

const cleaned = (clean: (value: string) => string, max: number): z.ZodString =>
  z.string().overwrite(clean).min(1).max(max).refine(isStorable, UNSTORABLE) as unknown as z.ZodString;

/** One line: line breaks and tabs become spaces, directions are balanced, controls are left out. */
export const line = (max: number): z.ZodString => cleaned(cleanLine, max);

/** As `line`, but line breaks stay. */
export const text = (max: number): z.ZodString => cleaned(cleanText, max);

/** As `text`; may be empty. */
export const prose = (max: number) => z.string().overwrite(cleanText).max(max).refine(isStorable, UNSTORABLE);

export const slug = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{1,62}$/, 'lower case letters, digits and hyphens')
  .describe('Id of a conference');
export const thingId = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'up to 64 letters, digits, _ and -');
/** With any offset; kept as UTC with milliseconds, so that equal instants are equal strings. */
export const instant = z.iso
  .datetime({ offset: true })
  .refine((value) => Math.abs(new Date(value).getUTCFullYear() - 2035) <= 65, 'between the years 1970 and 2100')
  .overwrite((value) => {
    // Checks run on after a failed one: what is no instant stays as it is, and is refused.
    const at = new Date(value);
    return Number.isNaN(at.getTime()) ? value : at.toISOString();
  });
export const httpUrl = z
  .url({ protocol: /^https?$/ })
  .max(2_000)
  .refine((value) => isPlain(value) && !/[\t\r]/.test(value), 'has control characters');

/** Marks a field as personal: sealed in the log under the key of the event's actor, or of whoever `data` names at `path`. */
export const personal = <T extends z.ZodType>(schema: T, subject: 'actor' | { readonly path: string } = 'actor'): T =>
  schema.meta({ ...schema.meta(), personal: subject }) as T;

export const rule = (message: string): Refusal => new Refusal('rule', message);
export const notFound = (what: string): Refusal => new Refusal('not-found', `there is no such ${what}`);

export const sessionStream = (session: string): string => `session/${session}`;

/** The conference's day around an instant: from one day change (HH:MM on its clock) to the next. Milliseconds since 1970. */
export function dayOf(
  now: Date,
  { timeZone, dayChange }: { readonly timeZone: string; readonly dayChange: string },
): { readonly start: number; readonly end: number } {
  const local = Temporal.Instant.fromEpochMilliseconds(now.getTime()).toZonedDateTimeISO(timeZone);
  const change = Temporal.PlainTime.from(dayChange);
  const early = Temporal.PlainTime.compare(local.toPlainTime(), change) < 0;
  const day = local.toPlainDate().subtract({ days: early ? 1 : 0 });
  const at = (date: Temporal.PlainDate): number =>
    date.toZonedDateTime({ timeZone, plainTime: change }).epochMilliseconds;
  return { start: at(day), end: at(day.add({ days: 1 })) };
}
