import type { JsonObject, LoggedEvent } from '#libs/event-log';
import { defineLimit } from '#libs/limits';
import { type EventHandler, type Projection, type Row, type RowOf, tableOf, untyped } from '#libs/projector';
import type { ImportDocument, SessionDocument } from './documents.js';
import { ImportRow, SessionRow } from './entities.js';

const sessions = tableOf(SessionRow);
const imports = tableOf(ImportRow);
type Session = RowOf<SessionRow>;

type Change = (row: Session, event: LoggedEvent) => Row | string;

const on = (change: Change): EventHandler => ({
  reads: ({ subject }) => [{ table: untyped(sessions), where: { id: subject } }],
  fold: (event, rows) => {
    const row = rows.get(sessions, { id: event.subject });
    const changed = row ? change(row, event) : 'there is no such session';
    return typeof changed === 'string' ? { noEffect: changed } : [{ table: untyped(sessions), put: changed }];
  },
});

const scheduled: EventHandler = {
  reads: ({ subject }) => [{ table: untyped(sessions), where: { id: subject } }],
  fold: ({ subject, data }, rows) => {
    if (rows.get(sessions, { id: subject })) return { noEffect: 'this session exists already' };
    const { room = '', start = '', end = '', ...facts } = data;
    const fresh = {
      state: 'scheduled',
      expectedStart: null,
      actualStart: null,
      actualEnd: null,
      because: null,
      delayReason: null,
      moves: [],
      pinned: false,
      recording: null,
    };
    return [
      {
        table: untyped(sessions),
        put: { ...facts, ...fresh, id: subject, room, plannedStart: start, plannedEnd: end } as Row,
      },
    ];
  },
};

/** Doors say where a session went; so many moves are kept for them. */
const KEPT = defineLimit({
  name: 'sessions.moves.kept',
  value: 20,
  unit: 'entries',
  beyond: 'the oldest move leaves the session’s history',
});

const rescheduled = (row: Session, { data }: LoggedEvent): Partial<Session> | string => {
  if (row.state === 'cancelled') return 'it is cancelled';
  if (row.state === 'ended') return 'already ended';
  const { room, plannedStart, plannedEnd, expectedStart, delayReason, pinned, moves } = row;
  const to = { room: String(data.room), plannedStart: String(data.start), plannedEnd: String(data.end) };
  if (room === to.room && plannedStart === to.plannedStart && plannedEnd === to.plannedEnd)
    return 'it is there already';
  const last = moves.at(-1);
  // I10: the way back is the inverse, and leaves nothing behind.
  if (last && last.room === to.room && last.start === to.plannedStart && last.end === to.plannedEnd) {
    const { expectedStart: expected, delayReason: reason, pinned: fixed } = last;
    return { ...row, ...to, expectedStart: expected, delayReason: reason, pinned: fixed, moves: moves.slice(0, -1) };
  }
  const from = { room, start: plannedStart, end: plannedEnd, expectedStart, delayReason, pinned };
  return {
    ...row,
    ...to,
    expectedStart: null,
    delayReason: null,
    pinned: data.imported !== true,
    moves: [...moves, from].slice(-KEPT),
  };
};

const delayed: Change = (row, { data }) => {
  if (row.state !== 'scheduled') return row.state === 'running' ? 'already running' : `already ${row.state}`;
  const expectedStart = String(data.expectedStart);
  return expectedStart === row.plannedStart
    ? { ...row, expectedStart: null, delayReason: null }
    : { ...row, expectedStart, delayReason: data.reason ?? null };
};

/** Becomes the one that runs in its room, which has place for one: of two at once the fold lets the first. */
const running = (change: (row: Session, event: LoggedEvent) => Partial<Session> | string): EventHandler => ({
  reads: ({ subject, data }, rows) => {
    const room = typeof data.room === 'string' ? data.room : rows.get(sessions, { id: subject })?.room;
    return [
      { table: untyped(sessions), where: { id: subject } },
      ...(room ? [{ table: untyped(sessions), where: { room, state: 'running' } }] : []),
    ];
  },
  fold: (event, rows) => {
    const row = rows.get(sessions, { id: event.subject });
    if (!row) return { noEffect: 'there is no such session' };
    const changed = change(row, event);
    if (typeof changed === 'string') return { noEffect: changed };
    const after = { ...row, ...changed };
    const others = after.state === 'running' ? rows.all(sessions, { room: after.room, state: 'running' }) : [];
    return others.some(({ id }) => id !== row.id)
      ? { noEffect: 'another session is running in this room' }
      : [{ table: untyped(sessions), put: after as Row }];
  },
});

const started = running((row, { time }) =>
  row.state === 'scheduled'
    ? { state: 'running', actualStart: time, actualEnd: null }
    : row.state === 'running'
      ? 'already running'
      : `already ${row.state}`,
);

const ended: Change = (row, { time }) =>
  row.state === 'running'
    ? { ...row, state: 'ended', actualEnd: time }
    : row.state === 'ended'
      ? 'already ended'
      : 'it is not running';

export const projection: Projection = {
  name: 'sessions',
  tables: [untyped(sessions), untyped(imports)],
  on: {
    'session-scheduled': scheduled,
    'session-amended': on((row, { data }) => ({ ...row, ...(data as Row) })),
    'session-rescheduled': running(rescheduled),
    'session-delayed': on(delayed),
    'session-started': started,
    'session-start-retracted': on((row) =>
      row.state === 'running' ? { ...row, state: 'scheduled', actualStart: null } : 'it is not running',
    ),
    'session-ended': on(ended),
    'session-reopened': running((row) =>
      row.state === 'ended' ? { state: 'running', actualEnd: null } : 'it has not ended',
    ),
    'session-cancelled': on((row, { data }) =>
      row.state === 'scheduled'
        ? { ...row, state: 'cancelled', because: data.reason ?? null }
        : row.state === 'running'
          ? 'already running'
          : `already ${row.state}`,
    ),
    'session-restored': on((row) =>
      row.state === 'cancelled' ? { ...row, state: 'scheduled', because: null } : 'it is not cancelled',
    ),
    'recording-published': on((row, { data }) =>
      row.recording === data.url ? 'already published' : { ...row, recording: String(data.url) },
    ),
    'recording-retracted': on((row) => (row.recording === null ? 'nothing is published' : { ...row, recording: null })),
    'schedule-imported': {
      reads: () => [{ table: untyped(imports), where: {} }],
      fold: ({ time, data }) => [{ table: untyped(imports), put: { at: time, counts: data.counts ?? {} } }],
    },
  },
  documents: [
    {
      kind: 'session',
      shows: [{ table: untyped(sessions), refs: (row) => [{ channel: 'schedule', key: `session/${String(row.id)}` }] }],
      reads: ({ key }) => [{ table: untyped(sessions), where: { id: key.slice('session/'.length) } }],
      render: ({ key }, rows) => {
        const row = rows.get(sessions, { id: key.slice('session/'.length) });
        return row ? (documentOf(row) as unknown as JsonObject) : null;
      },
    },
    {
      kind: 'import',
      shows: [{ table: untyped(imports), refs: () => [{ channel: 'schedule', key: 'import/last' }] }],
      reads: () => [{ table: untyped(imports), where: {} }],
      render: (_, rows) => {
        const row = rows.get(imports, {});
        return row ? ({ at: row.at, counts: row.counts } satisfies ImportDocument) : null;
      },
    },
  ],
};

function documentOf(row: Session): SessionDocument {
  const {
    id,
    room,
    kind,
    title,
    subtitle,
    abstract,
    speakers,
    track,
    language,
    url,
    state,
    expectedStart,
    pinned,
    recording,
  } = row;
  return {
    id,
    room,
    kind,
    title,
    subtitle,
    abstract,
    speakers,
    track,
    language,
    url,
    state,
    planned: { start: row.plannedStart, end: row.plannedEnd },
    expectedStart,
    actual: { start: row.actualStart, end: row.actualEnd },
    because: state === 'cancelled' ? row.because : row.delayReason,
    before: row.moves.map(({ room: from, start, end }) => ({ room: from, start, end })),
    pinned,
    recording,
  };
}
