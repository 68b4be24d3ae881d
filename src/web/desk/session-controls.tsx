/** Start, delay and end a session; open and close its questions. */
import { useState } from 'preact/hooks';
import type { QaDocument } from '../../conference/questions/documents.js';
import { clock, when } from '../../conference/times.js';
import { timesOf, viewRunning } from '../../conference/view.js';
import type { SessionDeskContext } from './session-desk.js';

const DELAYS = [5, 10, 15] as const;
const MINUTE = 60_000;

interface ControlsProps extends SessionDeskContext {
  readonly qa: QaDocument | undefined;
}

export function SessionControls(props: ControlsProps) {
  return (
    <div class="columns">
      <Times {...props} />
      <Questions {...props} />
    </div>
  );
}

function Times(props: ControlsProps) {
  const { session, sessions, acts, texts, now, timeZone, language } = props;
  const one = { session: session.id };
  const time = (instant: number) => when(instant, now, timeZone, language);
  const { now: on, unended } = viewRunning(session, sessions, now);
  const { startsAt, endsAt } = timesOf(session);
  return (
    <section class="card" aria-label={texts.session} data-testid="controls">
      <p class="tabular">
        <span data-testid="times">
          {time(startsAt)} – {clock(endsAt, timeZone, language)}
        </span>{' '}
        {unended && <span class="badge badge--warn">{texts.wasToEnd(time(unended.endsAt))}</span>}
        {on && (
          <span class={`badge ${on.minutesOver === null ? 'badge--accent' : 'badge--warn'}`}>
            {on.minutesOver === null ? texts.minutesLeft(on.minutesLeft ?? 0) : texts.overrun(on.minutesOver)}
          </span>
        )}
        {session.state === 'ended' && <span class="badge">{texts.ended}</span>}
        {session.state === 'cancelled' && <span class="badge badge--warn">{texts.cancelled}</span>}
        {session.expectedStart && session.state === 'scheduled' && (
          <span class="badge badge--warn">
            {texts.delayed}: {time(startsAt)}
          </span>
        )}
      </p>
      {session.state === 'scheduled' && <BeforeStart {...props} />}
      {session.state === 'running' && (
        <p class="row">
          <button
            type="button"
            class="main"
            onClick={() =>
              void acts.run(
                { type: 'end-session', data: one },
                { done: texts.sessionEnded, undo: { type: 'reopen-session', data: one } },
              )
            }
          >
            {texts.end}
          </button>
          <button type="button" onClick={() => void acts.run({ type: 'retract-start', data: one })}>
            {texts.retractStart}
          </button>
        </p>
      )}
      {session.state === 'ended' && (
        <button type="button" onClick={() => void acts.run({ type: 'reopen-session', data: one })}>
          {texts.reopenSession}
        </button>
      )}
    </section>
  );
}

/** Start it, or say that it starts later. */
function BeforeStart({ session, sessions, acts, texts, now, timeZone, language }: ControlsProps) {
  const [reason, setReason] = useState('');
  const one = { session: session.id };
  const before = sessions.find(
    ({ id, room, state }) => id !== session.id && room === session.room && state === 'running',
  );
  const expected = session.expectedStart ?? session.planned.start;
  const delay = (minutes: number) => {
    const to = Math.max(Date.parse(expected), now) + minutes * MINUTE;
    void acts.run(
      {
        type: 'delay-session',
        data: { ...one, expectedStart: new Date(to).toISOString(), reason: reason.trim() || null },
      },
      {
        done: texts.delayedTo(clock(to, timeZone, language)),
        undo: { type: 'delay-session', data: { ...one, expectedStart: expected, reason: session.because } },
      },
    );
  };
  return (
    <>
      <p class="row">
        <button
          type="button"
          class="main"
          onClick={() =>
            void acts.run(
              { type: 'start-session', data: { ...one, endOther: before !== undefined } },
              { done: texts.started, undo: { type: 'retract-start', data: one } },
            )
          }
        >
          {before ? texts.startAndEnd : texts.start}
        </button>
      </p>
      <label>
        {texts.reasonHint} ({texts.optional})
        <input value={reason} maxLength={200} dir="auto" onInput={(event) => setReason(event.currentTarget.value)} />
      </label>
      <p class="row">
        <span>{texts.delay}:</span>
        {DELAYS.map((minutes) => (
          <button type="button" key={minutes} onClick={() => delay(minutes)}>
            {texts.delayBy(minutes)}
          </button>
        ))}
        {session.expectedStart && (
          <button
            type="button"
            onClick={() =>
              void acts.run(
                { type: 'delay-session', data: { ...one, expectedStart: session.planned.start } },
                { done: texts.onTime },
              )
            }
          >
            {texts.onTime}
          </button>
        )}
      </p>
    </>
  );
}

function Questions({ session, qa, acts, texts }: ControlsProps) {
  const one = { session: session.id };
  const open = (mode: QaDocument['mode']) => ({ type: 'open-questions', data: { ...one, mode } });
  const close = (frozen: boolean) => ({ type: 'close-questions', data: { ...one, frozen } });
  const before = qa?.open ? open(qa.mode) : close(qa?.frozen ?? false);
  const state = () => {
    if (!qa) return texts.notOpened;
    if (qa.open) return qa.mode === 'open' ? texts.isOpenAtOnce : texts.isOpen;
    return qa.frozen ? texts.isFrozen : texts.isClosed;
  };
  return (
    <section class="card" aria-label={texts.questions} data-testid="qa">
      <p>
        {texts.questions}: <span class="badge">{state()}</span>
      </p>
      <p class="row">
        {qa?.open ? (
          <>
            <button type="button" onClick={() => void acts.run(close(false), { done: texts.closed, undo: before })}>
              {texts.close}
            </button>
            <button type="button" onClick={() => void acts.run(close(true), { done: texts.closed, undo: before })}>
              {texts.freeze}
            </button>
          </>
        ) : (
          <>
            <button
              type="button"
              class="main"
              onClick={() => void acts.run(open('pre-moderated'), { done: texts.opened, undo: before })}
            >
              {texts.open}
            </button>
            <button type="button" onClick={() => void acts.run(open('open'), { done: texts.opened, undo: before })}>
              {texts.openMode}
            </button>
          </>
        )}
      </p>
    </section>
  );
}
