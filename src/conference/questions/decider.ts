import type { NewEvent } from '#libs/event-log';
import type { Refusal } from '#libs/protocol';
import type { DecisionContext, DecisionState } from '../capability.js';
import { notFound, rule, sessionStream } from '../kernel.js';
import type { AuthorDocument, QaDocument, QuestionState } from './documents.js';

type Decision = readonly NewEvent[] | Refusal;

const EDIT_WITHIN_MS = 2 * 60_000;

const authorOf = (state: DecisionState, question: string): AuthorDocument | undefined =>
  state.document<AuthorDocument>('_authors', `question/${question}`);
const qaOf = (state: DecisionState, session: string): QaDocument | undefined =>
  state.document<QaDocument>(`session/${session}/questions`, 'qa/state');

/** For moderators: the session whose grant they need. */
export const sessionOfQuestion = (
  { question }: { readonly question: string },
  state: DecisionState,
): string | undefined => authorOf(state, question)?.session;

const about = (type: string, question: string, session: string, data: NewEvent['data'] = {}): NewEvent => ({
  type,
  subject: question,
  stream: sessionStream(session),
  data: { session, question, ...data },
});

export function open(
  { session, mode }: { readonly session: string; readonly mode: QaDocument['mode'] },
  { state }: DecisionContext,
): Decision {
  if (!state.document('schedule', `session/${session}`)) return notFound('session');
  const qa = qaOf(state, session);
  if (qa?.open && qa.mode === mode) return rule('questions are open already');
  return [{ type: 'questions-opened', subject: session, stream: sessionStream(session), data: { session, mode } }];
}

export function close(
  { session, frozen }: { readonly session: string; readonly frozen: boolean },
  { state }: DecisionContext,
): Decision {
  const qa = qaOf(state, session);
  if (!qa) return rule('questions were never opened');
  if (!qa.open && qa.frozen === frozen) return rule('questions are closed already');
  return [{ type: 'questions-closed', subject: session, stream: sessionStream(session), data: { session, frozen } }];
}

export function ask(
  data: { readonly session: string; readonly text: string; readonly name: string | null },
  { state }: DecisionContext,
): Decision {
  if (!qaOf(state, data.session)?.open) return rule('questions are not open here');
  return [{ type: 'question-asked', stream: sessionStream(data.session), data }];
}

export function edit(
  { question, text }: { readonly question: string; readonly text: string },
  { state, identity, now }: DecisionContext,
): Decision {
  const known = authorOf(state, question);
  if (!known) return notFound('question');
  if (known.author !== identity.actor) return rule('only its author can edit a question');
  if (known.state !== 'pending' && known.state !== 'approved') return rule(`it is ${known.state}`);
  if (known.state === 'approved' && known.reviewed) return rule('a moderator has approved it as it is');
  if (known.state === 'approved' && now.getTime() - Date.parse(known.askedAt) > EDIT_WITHIN_MS)
    return rule('it is shown and older than two minutes');
  return [about('question-edited', question, known.session, { text })];
}

export function withdraw({ question }: { readonly question: string }, { state, identity }: DecisionContext): Decision {
  const known = authorOf(state, question);
  if (!known) return notFound('question');
  if (known.author !== identity.actor) return rule('only its author can withdraw a question');
  if (known.state !== 'pending' && known.state !== 'approved') return rule(`it is ${known.state}`);
  return [about('question-withdrawn', question, known.session)];
}

export const vote =
  (type: 'question-upvoted' | 'question-upvote-withdrawn') =>
  ({ question }: { readonly question: string }, { state, identity }: DecisionContext): Decision => {
    const known = authorOf(state, question);
    if (!known) return notFound('question');
    if (known.author === identity.actor) return rule('nobody votes for their own question');
    if (known.state !== 'approved' && known.state !== 'taken') return rule('it cannot be voted on');
    if (qaOf(state, known.session)?.frozen) return rule('voting is closed');
    return [about(type, question, known.session)];
  };

/** Acts of the desk: possible from these states of the question. */
export const act =
  (type: string, from: readonly QuestionState[], otherwise: string) =>
  (
    {
      question,
      ...data
    }: {
      readonly question: string;
      readonly reason?: string;
      readonly answer?: string | null;
      readonly place?: number | null;
    },
    { state }: DecisionContext,
  ): Decision => {
    const known = authorOf(state, question);
    if (!known) return notFound('question');
    if (!from.includes(known.state))
      return rule(known.state === 'withdrawn' ? 'its author has withdrawn it' : otherwise);
    return [about(type, question, known.session, data)];
  };

/** The one on stage leaves it by an event of its own: undoing the command brings it back. */
export function take({ question }: { readonly question: string }, context: DecisionContext): Decision {
  const taking = act('question-taken', ['approved'], 'it is not approved')({ question }, context);
  const session = authorOf(context.state, question)?.session ?? '';
  const onStage = qaOf(context.state, session)?.taken;
  return Array.isArray(taking) && onStage ? [about('question-released', onStage, session), ...taking] : taking;
}
