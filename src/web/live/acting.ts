/** What somebody does on the live pages goes through one outbox, whichever page it is done on. */
import { useEffect, useRef } from 'preact/hooks';
import { type CommandAck, isVisible } from '#libs/protocol';
import { type Act, troubleOf } from '../shared/notices.js';
import { type Draft, useDraft } from '../shared/outbox/drafts.js';
import type { Outbox } from '../shared/outbox/outbox.js';
import type { Waiting } from '../shared/outbox/stored-items.js';
import { useOutbox } from '../shared/outbox/use-outbox.js';
import type { LiveContext } from './live-page.js';
import { HeldVotes, isVote, UNVOTE, VOTE } from './votes.js';

export interface ActingContext extends LiveContext {
  readonly outbox: Outbox;
  readonly heldVotes: HeldVotes;
}

export function useActing(context: LiveContext): ActingContext {
  const { client, acts, texts, conference, identity } = context;
  const heldVotes = useRef(new HeldVotes()).current;
  const onAnswer = (item: Waiting, ack: CommandAck) => {
    const trouble = troubleOf(ack, texts);
    if (isVote(item)) {
      heldVotes.settle(item, ack, performance.now());
      // "It was so already" is what was wanted.
      if (trouble && !('outcome' in ack && ack.outcome === 'no-effect')) acts.say(trouble, true);
    } else if (!('refusal' in ack)) {
      if (trouble) acts.say(trouble, true);
      else acts.say(texts.sent, false, ack.subject ? takingBack(item.type, ack.subject) : undefined);
    } else if (item.data.text) acts.say(texts.notTaken(ack.refusal.message, ack.refusal.code), true);
  };
  const outbox = useOutbox({ client, acts, texts, name: `${conference}.${identity.actor}`, onAnswer });
  return { ...context, outbox, heldVotes };
}

const takingBack = (type: string, subject: string): Act =>
  type === 'ask-question'
    ? { type: 'withdraw-question', data: { question: subject } }
    : { type: 'withdraw-message', data: { message: subject } };

/** A second press before the first is sent takes it out again; afterwards it is an act of its own. */
export function pressVote(outbox: Outbox, question: string, pressed: boolean, label: string): boolean {
  const wanted = pressed ? UNVOTE : VOTE;
  const unsent = outbox.items.filter(
    (item) => isVote(item) && item.data.question === question && item.id !== outbox.sending,
  );
  for (const { id } of unsent) outbox.drop(id);
  return unsent.some(({ type }) => type !== wanted) || outbox.add(wanted, { question }, label);
}

export interface SessionDraft extends Draft {
  /** @param clean as the service cleans such a text @returns whether it is on its way; if not, the page says why */
  send(data: Waiting['data'], clean: (text: string) => string): boolean;
}

/** The draft of a text for a session; a text that the service did not take comes back into it, with the reason. */
export function useSessionDraft(
  { conference, identity, outbox, texts, acts }: ActingContext,
  type: string,
  session: string,
): SessionDraft {
  const draft = useDraft(`${conference}.${identity.actor}.${session}.${type}`);
  const returned = outbox.items.find(
    ({ refusal, ...item }) => refusal && refusal.code > 0 && item.type === type && item.data.session === session,
  );
  const free = draft.text.trim() === '';
  useEffect(() => {
    if (!returned?.refusal || !free) return;
    draft.set(returned.data.text ?? '', `${returned.refusal.message} (${returned.refusal.code})`);
    outbox.drop(returned.id);
  }, [returned?.id, free]);
  return {
    ...draft,
    send: (data, clean) => {
      const text = clean(draft.text);
      if (!isVisible(text)) {
        draft.set(draft.text, texts.nothingToSee);
        return false;
      }
      const added = outbox.add(type, { ...data, text });
      if (!added) acts.say(texts.outboxFull, true);
      if (added) draft.discard();
      return added;
    },
  };
}
