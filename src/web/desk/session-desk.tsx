/** The desk of one session: what is on stage, the two columns, and everything else a moderator does. */
import { useCallback, useRef } from 'preact/hooks';
import { type DeskQuestionDocument, DISMISSAL_REASONS, type QaDocument } from '../../conference/questions/documents.js';
import type { SessionDocument } from '../../conference/sessions/documents.js';
import { PostUpdate } from '../shared/post-update.js';
import { bodiesOf, bodyOf, useChannel } from '../shared/use-feed.js';
import { Column, type OnAct } from './column.js';
import type { DeskContext } from './desk-page.js';
import { DiscussionDesk } from './discussion-desk.js';
import { Help } from './help.js';
import { type ActName, actOfKey, columnsOf, questionAct } from './question-acts.js';
import { SessionControls } from './session-controls.js';
import type { DeskTexts } from './texts.js';
import { useKeys, useShortcuts } from './use-keys.js';

export interface SessionDeskContext extends DeskContext {
  readonly session: SessionDocument;
}

const doneText = (name: ActName, texts: DeskTexts): string =>
  ({
    approve: texts.approved,
    dismiss: texts.dismissed,
    take: texts.tookIt,
    release: texts.released,
    answer: texts.wasAnswered,
    reopen: texts.reopened,
    queue: texts.queued,
    unqueue: texts.unqueued,
    restore: texts.restored,
  })[name];

export function SessionDesk(props: SessionDeskContext) {
  const { client, session, texts, acts, language, updates } = props;
  const publicChannel = `session/${session.id}/questions`;
  const deskChannel = `session/${session.id}/desk`;
  useChannel(client, publicChannel);
  useChannel(client, deskChannel);
  const help = useRef<HTMLDialogElement>(null);
  const qa = bodyOf<QaDocument>(client, publicChannel, 'qa/state');
  const questions = bodiesOf<DeskQuestionDocument>(client, deskChannel, 'question');
  const columns = columnsOf(questions);
  const onStage = questions.find(({ state }) => state === 'taken');

  const latest = useRef({ acts, taken: null as string | null, texts });
  latest.current = { acts, taken: onStage?.id ?? null, texts };
  /** The same function for ever: a thousand cards are not drawn again because of it. */
  const onAct: OnAct = useCallback((name, question, reason) => {
    // The button goes away with the act; the focus stays with the card.
    document.activeElement?.closest<HTMLElement>('[data-question]')?.focus();
    const { act, undo } = questionAct(name, question, { taken: latest.current.taken, reason });
    void latest.current.acts.run(act, { done: doneText(name, latest.current.texts), ...(undo ? { undo } : {}) });
  }, []);

  const shortcuts = useShortcuts();
  const keys = {
    onQuestion: (key: string, id: string) => {
      const question = questions.find((one) => one.id === id);
      const name = question && actOfKey(key, question);
      if (question && name) onAct(name, question, name === 'dismiss' ? DISMISSAL_REASONS[Number(key) - 1] : undefined);
    },
    onUndo: () => acts.last && void acts.undo(acts.last),
    onHelp: () => help.current?.showModal(),
  };
  useKeys(keys, shortcuts);

  const column = { texts, isPending: acts.isPendingFor, onAct };
  return (
    <>
      <h1 dir="auto" lang={session.language ?? undefined}>
        {session.title}
      </h1>
      <p class="row">
        <button type="button" disabled={!acts.last} onClick={() => acts.last && void acts.undo(acts.last)}>
          {texts.undoLast}
        </button>
        <button type="button" onClick={() => help.current?.showModal()}>
          {texts.help} {shortcuts.on && <kbd>?</kbd>}
        </button>
      </p>
      <SessionControls {...props} qa={qa} />
      <section class="card stage" aria-label={texts.onStage} data-testid="stage">
        <p class="small faint">{texts.onStage}</p>
        {onStage ? <p dir="auto">{onStage.text}</p> : <p class="faint">{texts.nobodyOnStage}</p>}
      </section>
      <div class="columns">
        <Column name="waiting" title={texts.waiting} questions={columns.waiting} {...column} />
        <Column name="public" title={texts.public} questions={columns.public} {...column} />
      </div>
      <details>
        <summary>
          {texts.hidden} <span class="tabular">({columns.away.length})</span>
        </summary>
        <Column name="away" title={texts.hidden} questions={columns.away} {...column} />
      </details>
      <DiscussionDesk {...props} />
      <PostUpdate
        {...props}
        draftName={`${props.conference}.${props.identity.actor}.${session.id}`}
        updates={updates.news}
        audiences={[
          { label: texts.forSession, audience: { to: 'sessions', sessions: [session.id] } },
          { label: texts.forAll, audience: { to: 'all' } },
        ]}
        severities={['info', 'notice', 'urgent']}
        languages={[language]}
      />
      <Help {...props} dialog={help} shortcuts={shortcuts} />
    </>
  );
}
