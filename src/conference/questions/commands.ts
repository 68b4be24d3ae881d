import { z } from 'zod';
import { ANY_SESSION, command } from '../capability.js';
import { line, text, thingId } from '../kernel.js';
import * as decide from './decider.js';
import { displayName, mode, place, questionText } from './events.js';

const session = z.object({ session: thingId });
const question = z.object({ question: thingId });
const one = { question: 'q1' };
const everybody = ['attendee', 'moderator', 'organizer'] as const;
const desk = { by: ['moderator', 'organizer'] as const, session: decide.sessionOfQuestion };
const sessionId = (data: { readonly session: string }) => data.session;
const votes = { points: 60, perSeconds: 60 };

const act = (type: string, summary: string, decider: ReturnType<typeof decide.act>) =>
  command({ type, summary, schema: question, example: one, ...desk, decide: decider });

export const commands = [
  command({
    type: 'open-questions',
    summary: 'Let people ask',
    schema: session.extend({ mode: mode.default('pre-moderated') }),
    example: { session: 's1' },
    by: ['moderator', 'organizer'],
    session: sessionId,
    decide: decide.open,
  }),
  command({
    type: 'close-questions',
    summary: 'No more questions',
    schema: session.extend({ frozen: z.boolean().default(false).describe('no more votes either') }),
    example: { session: 's1' },
    by: ['moderator', 'organizer'],
    session: sessionId,
    decide: decide.close,
  }),
  command({
    type: 'ask-question',
    summary: 'Ask a question',
    schema: session.extend({
      text: questionText,
      name: displayName.nullable().default(null).describe('shown with it; default: anonymous'),
    }),
    example: { session: 's1', text: 'How do you roll back a model?' },
    by: ['attendee', 'moderator', 'organizer'],
    // Whoever may moderate one session may ask in any.
    session: () => ANY_SESSION,
    limit: { points: 5, perSeconds: 60 },
    decide: decide.ask,
  }),
  command({
    type: 'edit-question',
    summary: 'Word one’s own question anew',
    schema: question.extend({ text: questionText }),
    example: { ...one, text: 'A better question' },
    by: everybody,
    session: () => ANY_SESSION,
    limit: { points: 20, perSeconds: 60 },
    decide: decide.edit,
  }),
  command({
    type: 'withdraw-question',
    summary: 'Take one’s own question back',
    schema: question,
    example: one,
    by: everybody,
    session: () => ANY_SESSION,
    decide: decide.withdraw,
  }),
  command({
    type: 'upvote-question',
    summary: 'Vote for a question',
    schema: question,
    example: one,
    by: everybody,
    session: () => ANY_SESSION,
    limit: votes,
    decide: decide.vote('question-upvoted'),
  }),
  command({
    type: 'withdraw-upvote',
    summary: 'Take one’s vote back',
    schema: question,
    example: one,
    by: everybody,
    session: () => ANY_SESSION,
    limit: votes,
    decide: decide.vote('question-upvote-withdrawn'),
  }),
  act(
    'approve-question',
    'Show it to all',
    decide.act('question-approved', ['pending', 'dismissed'], 'already approved'),
  ),
  command({
    type: 'dismiss-question',
    summary: 'Do not show it',
    schema: question.extend({
      reason: line(200).describe('duplicate, off-topic, not-a-question, unkind, out-of-time, or a text'),
    }),
    example: { ...one, reason: 'duplicate' },
    ...desk,
    decide: decide.act('question-dismissed', ['pending', 'approved'], 'it cannot be dismissed now'),
  }),
  act(
    'retract-approval',
    'Take the approval back',
    decide.act('question-approval-retracted', ['approved'], 'it is not approved'),
  ),
  act(
    'restore-question',
    'Take the dismissal back',
    decide.act('question-restored', ['dismissed'], 'it is not dismissed'),
  ),
  command({
    type: 'queue-question',
    summary: 'Put it "up next", or move it there',
    schema: question.extend({ place: place.default(null).describe('lower comes first; null: at the end') }),
    example: one,
    ...desk,
    decide: decide.act('question-queued', ['approved'], 'it is not approved'),
  }),
  act(
    'unqueue-question',
    'Take it out of "up next"',
    decide.act('question-unqueued', ['approved'], 'it is not approved'),
  ),
  act('take-question', 'Bring it on stage; releases the one before', decide.take),
  act('release-question', 'Take it off the stage', decide.act('question-released', ['taken'], 'it is not on stage')),
  command({
    type: 'answer-question',
    summary: 'Say that it was answered',
    schema: question.extend({ answer: text(1_000).nullable().default(null) }),
    example: one,
    ...desk,
    decide: decide.act('question-answered', ['taken', 'approved'], 'it is not approved'),
  }),
  act('reopen-question', 'Open it again', decide.act('question-reopened', ['answered'], 'it is not answered')),
];
