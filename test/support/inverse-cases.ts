/** I10: every event that names an inverse, as a command, with the command that takes it back. */
import { someone } from './world.js';

export type Step = readonly [type: string, data: object, by?: ReturnType<typeof someone>];
export interface Case {
  readonly event: string;
  /** In order; `$q` and `$p` in data are two questions that wait, `$m` a message. */
  readonly given?: readonly Step[];
  readonly act: Step;
  readonly inverse: Step;
}

export const q = { question: '$q' };
export const p = { question: '$p' };
const m = { message: '$m' };
const s1 = { session: 's1' };
const openDiscussion: Step = ['open-discussion', { ...s1, topic: 'Again' }];
export const approved: Step = ['approve-question', q];
const slot = (room: string, hour: number) => ({
  room,
  start: `2026-11-23T${String(hour).padStart(2, '0')}:00:00Z`,
  end: `2026-11-23T${String(hour).padStart(2, '0')}:45:00Z`,
});
const late: Step = ['delay-session', { ...s1, expectedStart: '2026-11-23T09:10:00Z', reason: 'the train' }];
const room = { id: 'a', name: 'Hall A', order: 1 };
const conference = { title: 'SREcon Demo', timeZone: 'Europe/Dublin' };
const bob = someone('bob');

export const CASES: readonly Case[] = [
  {
    event: 'conference-amended',
    act: ['amend-conference', { ...conference, title: 'Other' }],
    inverse: ['amend-conference', conference],
  },
  { event: 'conference-closed', act: ['close-conference', {}], inverse: ['reopen-conference', {}] },
  {
    event: 'conference-reopened',
    given: [['close-conference', {}]],
    act: ['reopen-conference', {}],
    inverse: ['close-conference', {}],
  },
  {
    event: 'room-defined',
    act: ['define-rooms', { rooms: [{ ...room, name: 'Aula' }] }],
    inverse: ['define-rooms', { rooms: [room] }],
  },
  { event: 'room-filled-up', act: ['mark-room-full', { room: 'a' }], inverse: ['mark-room-free', { room: 'a' }] },
  {
    event: 'room-freed-up',
    given: [['mark-room-full', { room: 'a' }]],
    act: ['mark-room-free', { room: 'a' }],
    inverse: ['mark-room-full', { room: 'a' }],
  },
  {
    event: 'session-amended',
    act: ['amend-session', { ...s1, title: 'x' }],
    inverse: ['amend-session', { ...s1, title: 'Session s1' }],
  },
  {
    event: 'session-rescheduled',
    given: [late],
    act: ['reschedule-session', { ...s1, ...slot('b', 12) }],
    inverse: ['reschedule-session', { ...s1, ...slot('a', 9) }],
  },
  {
    event: 'session-rescheduled',
    given: [late],
    act: ['swap-sessions', { first: 's1', second: 's3' }],
    inverse: ['swap-sessions', { first: 's1', second: 's3' }],
  },
  { event: 'session-delayed', act: late, inverse: ['delay-session', { ...s1, expectedStart: '2026-11-23T09:00:00Z' }] },
  {
    event: 'session-delayed',
    given: [late],
    act: ['delay-session', { ...s1, expectedStart: '2026-11-23T09:30:00Z', reason: 'longer' }],
    inverse: late,
  },
  { event: 'session-started', given: [late], act: ['start-session', s1], inverse: ['retract-start', s1] },
  { event: 'session-ended', given: [['start-session', s1]], act: ['end-session', s1], inverse: ['reopen-session', s1] },
  {
    event: 'session-start-retracted',
    given: [['start-session', s1]],
    act: ['retract-start', s1],
    inverse: ['start-session', s1],
  },
  {
    event: 'session-reopened',
    given: [
      ['start-session', s1],
      ['end-session', s1],
    ],
    act: ['reopen-session', s1],
    inverse: ['end-session', s1],
  },
  {
    event: 'session-cancelled',
    given: [late],
    act: ['cancel-session', { ...s1, reason: 'illness' }],
    inverse: ['restore-session', s1],
  },
  {
    event: 'session-restored',
    given: [['cancel-session', { ...s1, reason: 'illness' }]],
    act: ['restore-session', s1],
    inverse: ['cancel-session', { ...s1, reason: 'illness' }],
  },
  {
    event: 'recording-published',
    act: ['publish-recording', { ...s1, url: 'https://example.org/v' }],
    inverse: ['retract-recording', s1],
  },
  {
    event: 'recording-retracted',
    given: [['publish-recording', { ...s1, url: 'https://example.org/v' }]],
    act: ['retract-recording', s1],
    inverse: ['publish-recording', { ...s1, url: 'https://example.org/v' }],
  },
  {
    event: 'questions-opened',
    given: [['close-questions', s1]],
    act: ['open-questions', s1],
    inverse: ['close-questions', s1],
  },
  { event: 'questions-closed', act: ['close-questions', { ...s1, frozen: true }], inverse: ['open-questions', s1] },
  { event: 'question-approved', act: approved, inverse: ['retract-approval', q] },
  {
    event: 'question-approved',
    given: [['dismiss-question', { ...q, reason: 'unkind' }]],
    act: approved,
    inverse: ['retract-approval', q],
  },
  { event: 'question-approval-retracted', given: [approved], act: ['retract-approval', q], inverse: approved },
  {
    event: 'question-dismissed',
    act: ['dismiss-question', { ...q, reason: 'my own words' }],
    inverse: ['restore-question', q],
  },
  {
    event: 'question-dismissed',
    given: [approved, ['queue-question', q]],
    act: ['dismiss-question', { ...q, reason: 'unkind' }],
    inverse: ['restore-question', q],
  },
  {
    event: 'question-restored',
    given: [['dismiss-question', { ...q, reason: 'unkind' }]],
    act: ['restore-question', q],
    inverse: ['dismiss-question', { ...q, reason: 'unkind' }],
  },
  {
    event: 'question-upvoted',
    given: [approved],
    act: ['upvote-question', q, bob],
    inverse: ['withdraw-upvote', q, bob],
  },
  {
    event: 'question-upvote-withdrawn',
    given: [approved, ['upvote-question', q, bob]],
    act: ['withdraw-upvote', q, bob],
    inverse: ['upvote-question', q, bob],
  },
  { event: 'question-queued', given: [approved], act: ['queue-question', q], inverse: ['unqueue-question', q] },
  {
    event: 'question-queued',
    given: [approved, ['queue-question', q]],
    act: ['queue-question', { ...q, place: 7 }],
    inverse: ['queue-question', { ...q, place: 1 }],
  },
  {
    event: 'question-unqueued',
    given: [approved, ['queue-question', q], ['approve-question', p], ['queue-question', p]],
    act: ['unqueue-question', q],
    inverse: ['queue-question', { ...q, place: 1 }],
  },
  {
    event: 'question-taken',
    given: [approved, ['queue-question', q]],
    act: ['take-question', q],
    inverse: ['release-question', q],
  },
  {
    event: 'question-released',
    given: [approved, ['take-question', q]],
    act: ['release-question', q],
    inverse: ['take-question', q],
  },
  {
    event: 'question-answered',
    given: [approved, ['queue-question', q]],
    act: ['answer-question', { ...q, answer: 'Slowly.' }],
    inverse: ['reopen-question', q],
  },
  {
    event: 'question-answered',
    given: [approved, ['take-question', q]],
    act: ['answer-question', q],
    inverse: ['reopen-question', q],
  },
  {
    event: 'question-reopened',
    given: [approved, ['answer-question', { ...q, answer: 'Slowly.' }]],
    act: ['reopen-question', q],
    inverse: ['answer-question', { ...q, answer: 'Slowly.' }],
  },
  {
    event: 'moderator-granted',
    act: ['grant-moderator', { moderator: 'mo' }],
    inverse: ['revoke-moderator', { moderator: 'mo' }],
  },
  {
    event: 'moderator-revoked',
    given: [['grant-moderator', { moderator: 'mo', sessions: ['s1'] }]],
    act: ['revoke-moderator', { moderator: 'mo' }],
    inverse: ['grant-moderator', { moderator: 'mo', sessions: ['s1'] }],
  },
  {
    event: 'discussion-closed',
    given: [openDiscussion],
    act: ['close-discussion', s1],
    inverse: ['reopen-discussion', s1],
  },
  {
    event: 'discussion-reopened',
    given: [openDiscussion, ['close-discussion', s1]],
    act: ['reopen-discussion', s1],
    inverse: ['close-discussion', s1],
  },
  {
    event: 'message-hidden',
    given: [],
    act: ['hide-message', { ...m, reason: 'unkind' }],
    inverse: ['restore-message', m],
  },
  {
    event: 'message-restored',
    given: [['hide-message', { ...m, reason: 'unkind' }]],
    act: ['restore-message', m],
    inverse: ['hide-message', { ...m, reason: 'unkind' }],
  },
];

/** Taken back for people, with a trace that is meant to stay. */
export const LEAVES: Readonly<Record<string, string>> = {
  'conference-opened': 'a closed conference stays readable',
  'session-scheduled': 'a cancelled session stays visible, marked',
  'question-asked': 'its author sees it as withdrawn',
  'question-edited': 'the desk sees that it was edited',
  'discussion-opened': 'it stays readable, closed',
  'message-posted': 'its author sees it as withdrawn',
  'message-edited': 'it says that it was edited',
  'update-posted': 'it says that it was retracted',
  'update-amended': 'it says that it was amended',
};
