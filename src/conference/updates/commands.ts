import { z } from 'zod';
import { command } from '../capability.js';
import { thingId } from '../kernel.js';
import * as decide from './decider.js';
import { audience, severity, texts, updateFields } from './events.js';

const fields = updateFields.shape;
const lenient = z.object({
  texts,
  audience: audience.default({ to: 'all' }),
  expiresAt: fields.expiresAt.default(null),
  url: fields.url.default(null),
  sponsor: fields.sponsor.default(null),
});
const update = z.object({ update: thingId });
const staff = { by: ['organizer', 'moderator'] as const };

export const commands = [
  command({
    type: 'post-update',
    summary: 'Tell all, crew, rooms or sessions',
    schema: lenient.extend({
      severity: severity.default('info'),
      drill: z.boolean().default(false).describe('an exercise; screens say so'),
      confirmed: z.boolean().default(false).describe('an emergency needs it'),
    }),
    example: { texts: { en: 'Lunch is served in the foyer.' } },
    ...staff,
    session: (data) => decide.sessionsOf(data.audience),
    limit: { points: 30, perSeconds: 60 },
    decide: decide.post,
  }),
  command({
    type: 'amend-update',
    summary: 'Word it otherwise; it says that it was amended',
    schema: lenient.extend(update.shape),
    example: { update: 'u1', texts: { en: 'Lunch is served in the garden.' } },
    ...staff,
    session: decide.sessionsOfUpdate,
    decide: decide.amend,
  }),
  command({
    type: 'renew-emergency',
    summary: 'Say that an emergency still holds: 15 minutes from now',
    schema: update,
    example: { update: 'u1' },
    by: ['organizer'],
    decide: decide.renew,
  }),
  command({
    type: 'retract-update',
    summary: 'Take it back; after an emergency screens say "all clear"',
    schema: update,
    example: { update: 'u1' },
    ...staff,
    session: decide.sessionsOfUpdate,
    decide: decide.retract,
  }),
];
