import type { NewEvent } from '#libs/event-log';
import type { Refusal } from '#libs/protocol';
import type { DecisionContext, DecisionState } from '../capability.js';
import { notFound, rule, sessionStream } from '../kernel.js';
import type { DiscussionDocument, MessageAuthorDocument, MessageDocument } from './documents.js';

type Decision = readonly NewEvent[] | Refusal;

const discussionOf = (state: DecisionState, session: string): DiscussionDocument | undefined =>
  state.document<DiscussionDocument>(`session/${session}/discussion`, 'discussion/state');
const authorOf = (state: DecisionState, message: string): MessageAuthorDocument | undefined =>
  state.document<MessageAuthorDocument>('_authors', `message/${message}`);

/** For moderators: the session whose grant they need. */
export const sessionOfMessage = ({ message }: { readonly message: string }, state: DecisionState): string | undefined =>
  authorOf(state, message)?.session;

const inSession = (type: string, session: string, data: NewEvent['data'] = {}): NewEvent => ({
  type,
  subject: session,
  stream: sessionStream(session),
  data: { session, ...data },
});
const about = (type: string, message: string, session: string, data: NewEvent['data'] = {}): NewEvent => ({
  type,
  subject: message,
  stream: sessionStream(session),
  data: { session, message, ...data },
});

export function open(
  { session, topic }: { readonly session: string; readonly topic: string | null },
  { state }: DecisionContext,
): Decision {
  const known = state.document<{ title: string }>('schedule', `session/${session}`);
  if (!known) return notFound('session');
  const wanted = topic ?? known.title;
  const discussion = discussionOf(state, session);
  if (discussion?.open && discussion.topic === wanted) return rule('the discussion is open already');
  return [inSession('discussion-opened', session, { topic: wanted })];
}

export const setOpen =
  (open: boolean) =>
  ({ session }: { readonly session: string }, { state }: DecisionContext): Decision => {
    const discussion = discussionOf(state, session);
    if (!discussion) return rule('there is no discussion');
    if (discussion.open === open) return rule(open ? 'the discussion is open already' : 'it is closed already');
    return [inSession(open ? 'discussion-reopened' : 'discussion-closed', session)];
  };

export function post(
  data: { readonly session: string; readonly text: string; readonly name: string | null },
  { state }: DecisionContext,
): Decision {
  if (!discussionOf(state, data.session)?.open) return rule('there is no open discussion here');
  return [{ type: 'message-posted', stream: sessionStream(data.session), data }];
}

/** What only its author may do. */
const own =
  (decide: (known: MessageAuthorDocument, state: DecisionState) => NewEvent | Refusal) =>
  (message: string, { state, identity }: DecisionContext): Decision => {
    const known = authorOf(state, message);
    if (!known) return notFound('message');
    if (known.author !== identity.actor) return rule('only its author can do that');
    if (known.state !== 'shown') return rule(`it is ${known.state}`);
    const decided = decide(known, state);
    return 'type' in decided ? [decided] : decided;
  };

export const edit = (
  { message, text }: { readonly message: string; readonly text: string },
  context: DecisionContext,
): Decision =>
  own(({ session }, state) =>
    discussionOf(state, session)?.open
      ? about('message-edited', message, session, { text })
      : rule('the discussion is closed'),
  )(message, context);

export const withdraw = ({ message }: { readonly message: string }, context: DecisionContext): Decision =>
  own(({ session }) => about('message-withdrawn', message, session))(message, context);

export function hide(
  { message, reason }: { readonly message: string; readonly reason: string },
  { state }: DecisionContext,
): Decision {
  const known = authorOf(state, message);
  if (!known) return notFound('message');
  return known.state === 'shown'
    ? [about('message-hidden', message, known.session, { reason })]
    : rule(`it is ${known.state}`);
}

export function restore({ message }: { readonly message: string }, { state }: DecisionContext): Decision {
  const known = authorOf(state, message);
  if (!known) return notFound('message');
  return known.state === 'hidden'
    ? [about('message-restored', message, known.session)]
    : rule(known.state === 'withdrawn' ? 'its author has withdrawn it' : 'it is not hidden');
}

export function promote({ message }: { readonly message: string }, { state }: DecisionContext): Decision {
  const known = authorOf(state, message);
  if (!known) return notFound('message');
  const { session, author } = known;
  const shown = state.document<MessageDocument>(`session/${session}/discussion`, `message/${message}`);
  if (!shown) return rule('it is not shown (any more)');
  if (known.question) return rule('it is a question already');
  if (!state.document(`session/${session}/questions`, 'qa/state')) return rule('questions were never opened here');
  return [about('message-promoted', message, session, { author, text: shown.text, name: shown.name })];
}
