import { z } from 'zod';
import { event } from '../capability.js';
import { httpUrl, instant, line, text, thingId } from '../kernel.js';
import { SEVERITIES } from './documents.js';

const language = z.string().regex(/^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?$/, 'a language tag, as "en"');

export const texts = z
  .record(language, text(500))
  .refine((all) => {
    const count = Object.keys(all).length;
    return count > 0 && count <= 10;
  }, 'one to ten languages')
  .describe('by language');
export const audience = z.discriminatedUnion('to', [
  z.object({ to: z.literal('all') }),
  z.object({ to: z.literal('crew') }),
  z.object({ to: z.literal('rooms'), rooms: z.array(thingId).min(1).max(100) }),
  z.object({ to: z.literal('sessions'), sessions: z.array(thingId).min(1).max(100) }),
]);
export const updateFields = z.object({
  texts,
  audience,
  expiresAt: instant.nullable(),
  url: httpUrl.nullable(),
  sponsor: z.object({ name: line(100), booth: line(60).nullable() }).nullable(),
});
export const severity = z.enum(SEVERITIES);

const example = {
  texts: { en: 'Lunch is served in the foyer.' },
  audience: { to: 'all' as const },
  expiresAt: '2026-11-23T14:00:00.000Z',
  url: null,
  sponsor: null,
};
const update = z.object({ update: thingId });

export const events = [
  event({
    type: 'update-posted',
    version: 1,
    summary: 'News for all or some',
    schema: updateFields.extend({ severity, drill: z.boolean() }),
    example: { ...example, severity: 'info', drill: false },
    inverse: 'update-retracted',
    audited: true,
  }),
  event({
    type: 'update-amended',
    version: 1,
    summary: 'It reads otherwise, and says so',
    schema: update.extend(updateFields.shape),
    example: { update: 'u1', ...example },
    inverse: 'update-amended',
    audited: true,
  }),
  event({
    type: 'update-renewed',
    version: 1,
    summary: 'An emergency still holds',
    schema: update,
    example: { update: 'u1' },
    inverse: { none: 'it runs out by itself, or is retracted' },
    audited: true,
  }),
  event({
    type: 'update-retracted',
    version: 1,
    summary: 'It does not hold any more; of an emergency: all clear',
    schema: update,
    example: { update: 'u1' },
    inverse: { none: 'post it anew: people must see that it is new' },
    audited: true,
  }),
];
