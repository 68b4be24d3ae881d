import { z } from 'zod';
import { command } from '../capability.js';
import { httpUrl, instant, line, rule, thingId } from '../kernel.js';
import * as decide from './decider.js';
import { reason, sessionFacts, slot } from './events.js';

const facts = sessionFacts.shape;
/** What one may leave out when typing a session by hand. */
const lenient = z.object({
  kind: facts.kind.default('talk'),
  title: facts.title,
  subtitle: facts.subtitle.default(null),
  abstract: facts.abstract.default(null),
  speakers: facts.speakers.default([]),
  track: facts.track.default(null),
  language: facts.language.default(null),
  url: facts.url.default(null),
});
const session = z.object({ session: thingId });
const withReason = session.extend({ reason: reason.nullable().default(null) });
const sessionId = (data: { readonly session: string }) => data.session;
const one = { session: 's1' };
const when = { room: 'hall-a', start: '2026-11-23T09:00:00Z', end: '2026-11-23T09:45:00Z' };
const staff = { by: ['organizer', 'moderator'] as const, session: sessionId };

export const commands = [
  command({
    type: 'schedule-session',
    summary: 'Plan a session',
    schema: lenient.extend(slot.shape).extend({ id: thingId.optional() }),
    example: { title: 'Ten years of a free CA', ...when },
    by: ['organizer'],
    decide: decide.schedule,
  }),
  command({
    type: 'amend-session',
    summary: 'Change title, speakers and the like',
    schema: sessionFacts.partial().extend(session.shape),
    example: { ...one, title: 'A better title' },
    by: ['organizer'],
    decide: decide.amend,
  }),
  command({
    type: 'reschedule-session',
    summary: 'Give it another time or room',
    schema: session.extend(slot.shape),
    example: { ...one, ...when },
    by: ['organizer'],
    decide: decide.reschedule,
  }),
  command({
    type: 'swap-sessions',
    summary: 'Let two sessions change places',
    schema: z.object({ first: thingId, second: thingId }),
    example: { first: 's1', second: 's2' },
    by: ['organizer'],
    decide: decide.swap,
  }),
  command({
    type: 'delay-session',
    summary: 'Say that it will start later (its planned start takes that back)',
    schema: withReason.extend({ expectedStart: instant }),
    example: { ...one, expectedStart: '2026-11-23T09:10:00Z', reason: 'the speaker is on the way' },
    ...staff,
    decide: decide.delay,
  }),
  command({
    type: 'delay-room',
    summary: 'Push the rest of a room’s day',
    schema: z.object({ room: thingId, minutes: z.int().min(1).max(600), reason: reason.nullable().default(null) }),
    example: { room: 'hall-a', minutes: 10 },
    by: ['organizer'],
    decide: decide.delayRoom,
  }),
  command({
    type: 'start-session',
    summary: 'Say that it has begun',
    schema: session.extend({
      endOther: z.boolean().default(false).describe('end the session that still runs in this room'),
    }),
    example: one,
    by: staff.by,
    session: decide.sessionsOfStart,
    decide: decide.start,
  }),
  command({
    type: 'retract-start',
    summary: 'It has not begun after all',
    schema: session,
    example: one,
    ...staff,
    decide: decide.act('session-start-retracted', 'running', 'it is not running'),
  }),
  command({
    type: 'end-session',
    summary: 'Say that it is over',
    schema: session,
    example: one,
    ...staff,
    decide: decide.act('session-ended', 'running', 'it is not running'),
  }),
  command({
    type: 'reopen-session',
    summary: 'It goes on after all',
    schema: session,
    example: one,
    ...staff,
    decide: decide.reopen,
  }),
  command({
    type: 'cancel-session',
    summary: 'It will not take place',
    schema: withReason,
    example: { ...one, reason: 'illness' },
    by: ['organizer'],
    decide: decide.act('session-cancelled', 'scheduled', 'it is not to come'),
  }),
  command({
    type: 'restore-session',
    summary: 'It takes place after all',
    schema: session,
    example: one,
    by: ['organizer'],
    decide: decide.act('session-restored', 'cancelled', 'it is not cancelled'),
  }),
  command({
    type: 'publish-recording',
    summary: 'Link its recording',
    schema: session.extend({ url: httpUrl }),
    example: { ...one, url: 'https://example.org/v' },
    by: ['organizer'],
    decide: decide.publishRecording,
  }),
  command({
    type: 'retract-recording',
    summary: 'Withdraw the link to its recording',
    schema: session,
    example: one,
    by: ['organizer'],
    decide: decide.retractRecording,
  }),
  command({
    type: 'import-sessions',
    summary: 'Bring up to 100 sessions to what a source says',
    schema: z.object({
      sessions: z
        .array(sessionFacts.extend(slot.shape).extend({ id: thingId }))
        .min(1)
        .max(100),
      override: z.boolean().default(false).describe('also what was moved by hand'),
    }),
    example: {
      sessions: [
        {
          id: 's1',
          kind: 'talk',
          title: 'A talk',
          subtitle: null,
          abstract: null,
          speakers: [],
          track: null,
          language: null,
          url: null,
          ...when,
        },
      ],
    },
    by: ['organizer'],
    decide: decide.importSessions,
  }),
  command({
    type: 'close-import',
    summary: 'Say that an import is complete',
    schema: z.object({ counts: z.record(line(40), z.int().min(0)) }),
    example: { counts: { scheduled: 12 } },
    by: ['organizer'],
    decide: ({ counts }, { state, conference }) =>
      state.document('schedule', 'conference/self')
        ? [{ type: 'schedule-imported', subject: conference, stream: 'schedule', data: { counts } }]
        : rule('there is no such conference'),
  }),
];
