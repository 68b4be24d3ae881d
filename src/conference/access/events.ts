import { z } from 'zod';
import { event } from '../capability.js';
import { line, personal } from '../kernel.js';

export const actorId = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[\x21-\x7e]+$/, 'visible ASCII characters');
export const sessionsGranted = z.union([z.literal('all'), z.array(z.string().min(1).max(64)).min(1).max(500)]);
export const moderatorName = line(60);

export const events = [
  event({
    type: 'moderator-granted',
    version: 1,
    summary: 'Somebody may moderate',
    schema: z.object({
      moderator: actorId,
      sessions: sessionsGranted,
      name: personal(moderatorName, { path: 'moderator' }).nullable(),
    }),
    example: { moderator: 'm1', sessions: 'all', name: null },
    inverse: 'moderator-revoked',
    audited: true,
  }),
  event({
    type: 'moderator-revoked',
    version: 1,
    summary: 'Somebody may not moderate any more',
    schema: z.object({ moderator: actorId }),
    example: { moderator: 'm1' },
    inverse: 'moderator-granted',
    audited: true,
  }),
  event({
    type: 'attendee-erased',
    version: 1,
    summary: 'Texts and names of a person are gone for good',
    schema: z.object({ subject: actorId }),
    example: { subject: 'a1' },
    inverse: { none: 'erasure cannot be taken back' },
    audited: true,
  }),
  event({
    type: 'event-skipped',
    version: 1,
    summary: 'An event that could not be folded is dropped',
    schema: z.object({ offset: z.int().min(0) }),
    example: { offset: 42 },
    inverse: { none: 'the stream has gone on without it' },
    audited: true,
  }),
];
