/** Everything an organizer does to a session while the conference runs. */
import { useState } from 'preact/hooks';
import { Temporal } from 'temporal-polyfill';
import type { SessionDocument } from '../../conference/sessions/documents.js';
import { clock, when } from '../../conference/times.js';
import type { Act } from '../shared/notices.js';
import { pathTo } from '../shared/path.js';
import type { OrganizeContext } from './organize-page.js';

const SHOWN = 40;
const MINUTE = 60_000;

export function Sessions(context: OrganizeContext) {
  const { sessions, rooms, texts, now } = context;
  const [words, setWords] = useState('');
  const nameOf = (id: string) => rooms.find((room) => room.id === id)?.name ?? id;
  // What is on or about to be comes first; what is over comes last.
  const rank = ({ state, planned }: SessionDocument) =>
    state === 'running' ? 0 : state === 'ended' || Date.parse(planned.end) < now ? 2 : 1;
  const found = sessions
    .filter(({ title, room, id }) =>
      `${title} ${nameOf(room)} ${id}`.toLowerCase().includes(words.toLowerCase().trim()),
    )
    .sort((a, b) => rank(a) - rank(b) || Date.parse(a.planned.start) - Date.parse(b.planned.start));
  return (
    <section aria-labelledby="sessions">
      <h2 id="sessions">{texts.sessions}</h2>
      <label>
        {texts.filter}
        <input type="search" value={words} onInput={(event) => setWords(event.currentTarget.value)} />
      </label>
      <ul data-testid="sessions">
        {found.slice(0, SHOWN).map((session) => (
          <Session key={session.id} {...context} session={session} />
        ))}
      </ul>
      {found.length > SHOWN && <p class="faint">{texts.moreThan(found.length - SHOWN)}</p>}
    </section>
  );
}

type Form = 'delay' | 'move' | 'swap' | 'cancel';

export interface SessionFormProps extends OrganizeContext {
  readonly session: SessionDocument;
  readonly run: (act: Act, undo?: Act) => void;
}

function Session(props: OrganizeContext & { readonly session: SessionDocument }) {
  const { session, conference, rooms, acts, texts, timeZone, language, now } = props;
  const [form, setForm] = useState<Form>();
  const one = { session: session.id };
  const run = (act: Act, undo?: Act) => {
    void acts
      .run(act, { done: texts.done, ...(undo ? { undo } : {}) })
      .then((applied) => applied && setForm(undefined));
  };
  const open = (name: Form, label: string) => (
    <button type="button" aria-expanded={form === name} onClick={() => setForm(form === name ? undefined : name)}>
      {label}
    </button>
  );
  const { state } = session;
  return (
    <li class={`card ${state === 'running' ? 'card--strong' : ''}`} data-session={session.id}>
      <h3 dir="auto">
        <a href={pathTo(conference, 'desk', session.id)}>{session.title}</a>
      </h3>
      <p class="tabular">
        {when(Date.parse(session.planned.start), now, timeZone, language)} –{' '}
        {clock(Date.parse(session.planned.end), timeZone, language)} ·{' '}
        <span dir="auto">{rooms.find(({ id }) => id === session.room)?.name ?? session.room}</span>{' '}
        {state === 'running' && <span class="badge badge--accent">{texts.running}</span>}
        {state === 'ended' && <span class="badge">{texts.ended}</span>}
        {state === 'cancelled' && <span class="badge badge--warn">{texts.cancelled}</span>}
        {state === 'scheduled' && session.expectedStart && (
          <span class="badge badge--warn">
            {texts.delayed}: {when(Date.parse(session.expectedStart), now, timeZone, language)}
          </span>
        )}
      </p>
      <p class="row">
        {state === 'scheduled' && (
          <button
            type="button"
            onClick={() =>
              run({ type: 'start-session', data: { ...one, endOther: true } }, { type: 'retract-start', data: one })
            }
          >
            {texts.start}
          </button>
        )}
        {state === 'running' && (
          <button
            type="button"
            onClick={() => run({ type: 'end-session', data: one }, { type: 'reopen-session', data: one })}
          >
            {texts.end}
          </button>
        )}
        {state === 'scheduled' && open('delay', texts.delay)}
        {state === 'scheduled' && open('move', texts.move)}
        {state === 'scheduled' && open('swap', texts.swap)}
        {state === 'scheduled' && open('cancel', texts.cancelSession)}
        {state === 'cancelled' && (
          <button type="button" onClick={() => run({ type: 'restore-session', data: one })}>
            {texts.restore}
          </button>
        )}
      </p>
      {form === 'delay' && <Delay {...props} run={run} />}
      {form === 'move' && <Move {...props} run={run} />}
      {form === 'swap' && <Swap {...props} run={run} />}
      {form === 'cancel' && <Cancel {...props} run={run} />}
    </li>
  );
}

const submitting = (act: () => void) => (event: Event) => {
  event.preventDefault();
  act();
};

function Apply({ label }: { readonly label: string }) {
  return (
    <p class="row">
      <button type="submit" class="main">
        {label}
      </button>
    </p>
  );
}

interface ReasonProps {
  readonly texts: OrganizeContext['texts'];
  readonly value: string;
  readonly onInput: (value: string) => void;
}

function Reason({ texts, value, onInput }: ReasonProps) {
  return (
    <label>
      {texts.because} ({texts.optional})
      <input maxLength={200} value={value} dir="auto" onInput={(event) => onInput(event.currentTarget.value)} />
    </label>
  );
}

function Delay({ session, run, texts, now }: SessionFormProps) {
  const [minutes, setMinutes] = useState(10);
  const [reason, setReason] = useState('');
  const expected = session.expectedStart ?? session.planned.start;
  const act = () =>
    run(
      {
        type: 'delay-session',
        data: {
          session: session.id,
          expectedStart: new Date(Math.max(Date.parse(expected), now) + minutes * MINUTE).toISOString(),
          reason: reason.trim() || null,
        },
      },
      { type: 'delay-session', data: { session: session.id, expectedStart: expected, reason: session.because } },
    );
  return (
    <form onSubmit={submitting(act)}>
      <label>
        {texts.minutes_}
        <input
          type="number"
          min={1}
          max={600}
          required
          value={minutes}
          onInput={(event) => setMinutes(event.currentTarget.valueAsNumber)}
        />
      </label>
      <Reason texts={texts} value={reason} onInput={setReason} />
      <Apply label={texts.apply} />
    </form>
  );
}

function Move({ session, run, rooms, texts, timeZone }: SessionFormProps) {
  const planned = Temporal.Instant.from(session.planned.start).toZonedDateTimeISO(timeZone);
  const [room, setRoom] = useState(session.room);
  const [local, setLocal] = useState(planned.toPlainDateTime().toString({ smallestUnit: 'minute' }));
  const act = () => {
    const start = Temporal.PlainDateTime.from(local).toZonedDateTime(timeZone).toInstant();
    const length = Date.parse(session.planned.end) - Date.parse(session.planned.start);
    const slot = {
      room,
      start: start.toString(),
      end: new Date(start.epochMilliseconds + length).toISOString(),
    };
    const back = { room: session.room, start: session.planned.start, end: session.planned.end };
    run(
      { type: 'reschedule-session', data: { session: session.id, ...slot } },
      { type: 'reschedule-session', data: { session: session.id, ...back } },
    );
  };
  return (
    <form onSubmit={submitting(act)}>
      <label>
        {texts.room}
        <select value={room} onChange={(event) => setRoom(event.currentTarget.value)}>
          {rooms.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label>
        {texts.startsAt(timeZone)}
        <input type="datetime-local" required value={local} onInput={(event) => setLocal(event.currentTarget.value)} />
      </label>
      <Apply label={texts.apply} />
    </form>
  );
}

function Swap({ session, run, sessions, texts, timeZone, language }: SessionFormProps) {
  const others = sessions
    .filter(({ id, state }) => id !== session.id && state === 'scheduled')
    .sort((a, b) => Date.parse(a.planned.start) - Date.parse(b.planned.start));
  const [other, setOther] = useState(others[0]?.id ?? '');
  const swap = { type: 'swap-sessions', data: { first: session.id, second: other } };
  return (
    <form onSubmit={submitting(() => other && run(swap, swap))}>
      <label>
        {texts.with}
        <select required value={other} onChange={(event) => setOther(event.currentTarget.value)}>
          {others.map(({ id, title, planned }) => (
            <option key={id} value={id}>
              {clock(Date.parse(planned.start), timeZone, language)} {title}
            </option>
          ))}
        </select>
      </label>
      <Apply label={texts.apply} />
    </form>
  );
}

function Cancel({ session, run, texts }: SessionFormProps) {
  const [reason, setReason] = useState('');
  const act = () =>
    run(
      { type: 'cancel-session', data: { session: session.id, reason: reason.trim() || null } },
      { type: 'restore-session', data: { session: session.id } },
    );
  return (
    <form onSubmit={submitting(act)}>
      <Reason texts={texts} value={reason} onInput={setReason} />
      <Apply label={texts.cancelSession} />
    </form>
  );
}

/** Push the rest of a room's day. */
export function PushRoom({ rooms, acts, texts }: OrganizeContext) {
  const [room, setRoom] = useState(rooms[0]?.id ?? '');
  const [minutes, setMinutes] = useState(10);
  const act = () =>
    void acts.run({ type: 'delay-room', data: { room: room || rooms[0]?.id, minutes } }, { done: texts.done });
  return (
    <details>
      <summary>{texts.pushRoom}</summary>
      <form onSubmit={submitting(act)}>
        <label>
          {texts.room}
          <select value={room} onChange={(event) => setRoom(event.currentTarget.value)}>
            {rooms.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label>
          {texts.minutes_}
          <input
            type="number"
            min={1}
            max={600}
            required
            value={minutes}
            onInput={(event) => setMinutes(event.currentTarget.valueAsNumber)}
          />
        </label>
        <Apply label={texts.apply} />
      </form>
    </details>
  );
}
