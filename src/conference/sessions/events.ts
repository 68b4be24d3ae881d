import { z } from 'zod';
import { event } from '../capability.js';
import { httpUrl, instant, line, prose, thingId } from '../kernel.js';
import { SESSION_KINDS } from './documents.js';

/** What is said about a session, apart from when and where. */
export const sessionFacts = z.object({
  kind: z.enum(SESSION_KINDS),
  title: line(300),
  subtitle: line(500).nullable(),
  abstract: prose(4_000).nullable(),
  speakers: z.array(line(200)).max(50),
  track: line(200).nullable(),
  language: line(35).nullable(),
  url: httpUrl.nullable(),
});
export const slot = z.object({ room: thingId, start: instant, end: instant });
export const reason = line(300);

const id = z.object({ session: thingId });
const facts = {
  kind: 'talk' as const,
  title: 'Ten years of a free CA',
  subtitle: null,
  abstract: null,
  speakers: ['A speaker'],
  track: null,
  language: 'en',
  url: null,
};
const when = { room: 'hall-a', start: '2026-11-23T09:00:00.000Z', end: '2026-11-23T09:45:00.000Z' };
const one = { session: 's1' };

export const events = [
  event({
    type: 'session-scheduled',
    version: 1,
    summary: 'A session is planned',
    schema: sessionFacts.extend(slot.shape),
    example: { ...facts, ...when },
    inverse: 'session-cancelled',
    audited: true,
  }),
  event({
    type: 'session-amended',
    version: 1,
    summary: 'Title, speakers or other facts changed',
    schema: sessionFacts,
    example: facts,
    inverse: 'session-amended',
    audited: true,
  }),
  event({
    type: 'session-rescheduled',
    version: 1,
    summary: 'It has another time or room',
    schema: id.extend(slot.shape).extend({ imported: z.boolean().optional().describe('by a schedule source') }),
    example: { ...one, ...when },
    inverse: 'session-rescheduled',
    audited: true,
  }),
  event({
    type: 'session-delayed',
    version: 1,
    summary: 'It is expected to start later; the planned start takes it back',
    schema: id.extend({ expectedStart: instant, reason: reason.nullable() }),
    example: { ...one, expectedStart: '2026-11-23T09:10:00.000Z', reason: 'the speaker is on the way' },
    takenAs: 'delay-session',
    inverse: 'session-delayed',
    audited: true,
  }),
  event({
    type: 'session-started',
    version: 1,
    summary: 'It has begun',
    schema: id,
    example: one,
    takenAs: 'start-session',
    inverse: 'session-start-retracted',
    audited: true,
  }),
  event({
    type: 'session-start-retracted',
    version: 1,
    summary: 'It has not begun after all',
    schema: id,
    example: one,
    inverse: 'session-started',
    audited: true,
  }),
  event({
    type: 'session-ended',
    version: 1,
    summary: 'It is over',
    schema: id,
    example: one,
    takenAs: 'end-session',
    inverse: 'session-reopened',
    audited: true,
  }),
  event({
    type: 'session-reopened',
    version: 1,
    summary: 'It goes on after all',
    schema: id,
    example: one,
    inverse: 'session-ended',
    audited: true,
  }),
  event({
    type: 'session-cancelled',
    version: 1,
    summary: 'It will not take place',
    schema: id.extend({ reason: reason.nullable() }),
    example: { ...one, reason: 'illness' },
    inverse: 'session-restored',
    audited: true,
  }),
  event({
    type: 'session-restored',
    version: 1,
    summary: 'It takes place after all',
    schema: id,
    example: one,
    inverse: 'session-cancelled',
    audited: true,
  }),
  event({
    type: 'recording-published',
    version: 1,
    summary: 'Its recording can be watched',
    schema: id.extend({ url: httpUrl }),
    example: { ...one, url: 'https://example.org/recording' },
    takenAs: 'publish-recording',
    inverse: 'recording-retracted',
    audited: true,
  }),
  event({
    type: 'recording-retracted',
    version: 1,
    summary: 'Its recording is withdrawn',
    schema: id,
    example: one,
    inverse: 'recording-published',
    audited: true,
  }),
  event({
    type: 'schedule-imported',
    version: 1,
    summary: 'An import is complete; its counts',
    schema: z.object({ counts: z.record(line(40), z.int().min(0)) }),
    example: { counts: { scheduled: 12, unchanged: 988 } },
    inverse: { none: 'its sessions are changed back one by one' },
    audited: true,
  }),
];
