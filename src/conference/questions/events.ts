import { z } from 'zod';
import { event } from '../capability.js';
import { line, personal, text, thingId } from '../kernel.js';

export const questionText = line(500);
export const displayName = line(60);
/** Lower comes first; any number between two places is a place between them. null: the end. */
export const place = z.number().min(-1e9).max(1e9).nullable();
export const mode = z.enum(['pre-moderated', 'open']);

const session = z.object({ session: thingId });
const question = session.extend({ question: thingId });
const one = { session: 's1', question: 'q1' };

const act = (type: string, summary: string, inverse: string | { none: string }, audited = true) =>
  event({ type, version: 1, summary, schema: question, example: one, inverse, audited });

export const events = [
  event({
    type: 'questions-opened',
    version: 1,
    summary: 'Questions can be asked',
    schema: session.extend({ mode }),
    example: { session: 's1', mode: 'pre-moderated' },
    inverse: 'questions-closed',
    audited: true,
  }),
  event({
    type: 'questions-closed',
    version: 1,
    summary: 'No more questions; frozen: no more votes either',
    schema: session.extend({ frozen: z.boolean() }),
    example: { session: 's1', frozen: false },
    inverse: 'questions-opened',
    audited: true,
  }),
  event({
    type: 'question-asked',
    version: 1,
    summary: 'Somebody asks',
    schema: session.extend({ text: personal(questionText), name: personal(displayName).nullable() }),
    example: { session: 's1', text: 'How do you roll back a model?', name: null },
    takenAs: 'ask-question',
    inverse: 'question-withdrawn',
    audited: false,
  }),
  event({
    type: 'question-edited',
    version: 1,
    summary: 'The author words it anew',
    schema: question.extend({ text: personal(questionText) }),
    example: { ...one, text: 'How do you roll back a model safely?' },
    inverse: 'question-edited',
    audited: false,
  }),
  act('question-withdrawn', 'The author takes it back', { none: 'the author may ask again' }, false),
  act('question-approved', 'It is shown to all', 'question-approval-retracted'),
  act('question-approval-retracted', 'It is as it was before it was approved', 'question-approved'),
  event({
    type: 'question-dismissed',
    version: 1,
    summary: 'It is not shown',
    schema: question.extend({ reason: line(200) }),
    example: { ...one, reason: 'duplicate' },
    inverse: 'question-restored',
    audited: true,
  }),
  act('question-restored', 'It is as it was before it was dismissed', 'question-dismissed'),
  act('question-upvoted', 'Somebody votes for it', 'question-upvote-withdrawn', false),
  act('question-upvote-withdrawn', 'Somebody takes the vote back', 'question-upvoted', false),
  event({
    type: 'question-queued',
    version: 1,
    summary: 'It is "up next", at a place or at the end',
    schema: question.extend({ place }),
    example: { ...one, place: null },
    inverse: 'question-unqueued',
    audited: true,
  }),
  act('question-unqueued', 'It leaves "up next"', 'question-queued'),
  act('question-taken', 'It is on stage now', 'question-released'),
  act('question-released', 'It is not on stage any more', 'question-taken'),
  event({
    type: 'question-answered',
    version: 1,
    summary: 'It was answered',
    schema: question.extend({ answer: personal(text(1_000)).nullable() }),
    example: { ...one, answer: null },
    inverse: 'question-reopened',
    audited: true,
  }),
  act('question-reopened', 'It is open again', 'question-answered'),
];
