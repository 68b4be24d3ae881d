import { z } from 'zod';
import { command } from '../capability.js';
import { rule } from '../kernel.js';
import type { ErasedDocument, ModeratorDocument } from './documents.js';
import { actorId, moderatorName, sessionsGranted } from './events.js';

const STREAM = 'access';

export const commands = [
  command({
    type: 'grant-moderator',
    summary: 'Let somebody moderate all sessions or some',
    schema: z.object({
      moderator: actorId,
      sessions: sessionsGranted.default('all'),
      name: moderatorName.nullable().default(null),
    }),
    example: { moderator: 'm1', sessions: ['s1'] },
    by: ['organizer'],
    afterClose: true,
    decide: (data, { state }) =>
      state.document<ErasedDocument>('_access', `erased/${data.moderator}`)
        ? rule('this person has been erased')
        : [{ type: 'moderator-granted', subject: data.moderator, stream: STREAM, data }],
  }),
  command({
    type: 'revoke-moderator',
    summary: 'Take the grant back; live desks close',
    schema: z.object({ moderator: actorId }),
    example: { moderator: 'm1' },
    by: ['organizer'],
    afterClose: true,
    decide: ({ moderator }, { state }) =>
      state.document<ModeratorDocument>('_access', `moderator/${moderator}`)
        ? [{ type: 'moderator-revoked', subject: moderator, stream: STREAM, data: { moderator } }]
        : rule('this person is not a moderator'),
  }),
  command({
    type: 'erase-attendee',
    summary: 'Erase a person: their texts and names vanish everywhere, for good',
    schema: z.object({ subject: actorId }),
    example: { subject: 'a1' },
    by: ['organizer'],
    afterClose: true,
    whileBehind: true,
    decide: ({ subject }, { state }) =>
      state.document<ErasedDocument>('_access', `erased/${subject}`)
        ? rule('already erased')
        : [{ type: 'attendee-erased', subject, stream: null, data: { subject } }],
  }),
  command({
    type: 'skip-event',
    summary: 'Drop an event that holds up its stream',
    schema: z.object({ offset: z.int().min(0) }),
    example: { offset: 42 },
    by: ['organizer', 'operator'],
    afterClose: true,
    whileBehind: true,
    decide: ({ offset }, { conference }) => [
      { type: 'event-skipped', subject: conference, stream: null, data: { offset } },
    ],
  }),
];
