/**
 * I10: from what the audit knows of an act, the command that takes it back. Personal texts are not in the audit (I14): an act whose way
 * back would need one has none here.
 */

/** What an act changed, as the audit keeps it: rows before and after, each with the name of its `table`. */
export interface AuditedAct {
  readonly type: string;
  readonly subject: string;
  readonly before: readonly Readonly<Record<string, unknown>>[];
  readonly after: readonly Readonly<Record<string, unknown>>[];
}

export interface CommandToSend {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

type Row = Readonly<Record<string, unknown>>;
type Inverse = (act: AuditedAct) => CommandToSend | null;

const rowOf = (rows: readonly Row[], table: string, id?: string): Row | undefined =>
  rows.find((row) => row.table === table && (id === undefined || row.id === id));

const pick = (row: Row, names: readonly string[]): Row => Object.fromEntries(names.map((name) => [name, row[name]]));

/** The same subject, by another command. */
const about =
  (type: string, name: string): Inverse =>
  ({ subject }) => ({ type, data: { [name]: subject } });

/** With the values that a row of the subject had before. */
const asBefore =
  (table: string, make: (row: Row, subject: string) => CommandToSend): Inverse =>
  ({ before, subject }) => {
    const row = rowOf(before, table, subject);
    return row ? make(row, subject) : null;
  };

const qaAsBefore: Inverse = ({ before, subject }) => {
  const qa = before.find((row) => row.table === 'qa' && row.session === subject);
  if (qa?.open) return { type: 'open-questions', data: { session: subject, mode: qa.mode } };
  return { type: 'close-questions', data: { session: subject, frozen: qa?.frozen ?? false } };
};

const queueAsBefore = asBefore('question', ({ queued }, question) =>
  queued === null
    ? { type: 'unqueue-question', data: { question } }
    : { type: 'queue-question', data: { question, place: queued } },
);

const FACTS = ['kind', 'title', 'subtitle', 'abstract', 'speakers', 'track', 'language', 'url'];
const ROOM = ['id', 'name', 'order', 'capacity', 'floor'];
const CONFERENCE = ['title', 'timeZone', 'dayChange', 'languages'];

const INVERSES: Readonly<Record<string, Inverse>> = {
  'conference-amended': ({ before }) => {
    const row = rowOf(before, 'conference');
    return row ? { type: 'amend-conference', data: pick(row, CONFERENCE) } : null;
  },
  'conference-closed': () => ({ type: 'reopen-conference', data: {} }),
  'conference-reopened': () => ({ type: 'close-conference', data: {} }),
  'room-defined': asBefore('room', (row) => ({ type: 'define-rooms', data: { rooms: [pick(row, ROOM)] } })),
  'room-filled-up': about('mark-room-free', 'room'),
  'room-freed-up': about('mark-room-full', 'room'),
  'session-scheduled': about('cancel-session', 'session'),
  'session-amended': asBefore('session', (row, session) => ({
    type: 'amend-session',
    data: { session, ...pick(row, FACTS) },
  })),
  'session-rescheduled': asBefore('session', (row, session) => ({
    type: 'reschedule-session',
    data: { session, room: row.room, start: row.plannedStart, end: row.plannedEnd },
  })),
  'session-delayed': asBefore('session', (row, session) => ({
    type: 'delay-session',
    data: { session, expectedStart: row.expectedStart ?? row.plannedStart, reason: row.delayReason },
  })),
  'session-started': about('retract-start', 'session'),
  'session-start-retracted': about('start-session', 'session'),
  'session-ended': about('reopen-session', 'session'),
  'session-reopened': about('end-session', 'session'),
  'session-cancelled': about('restore-session', 'session'),
  'session-restored': asBefore('session', (row, session) => ({
    type: 'cancel-session',
    data: { session, reason: row.because },
  })),
  'recording-published': about('retract-recording', 'session'),
  'recording-retracted': asBefore('session', (row, session) => ({
    type: 'publish-recording',
    data: { session, url: row.recording },
  })),
  'questions-opened': qaAsBefore,
  'questions-closed': qaAsBefore,
  'question-approved': about('retract-approval', 'question'),
  'question-approval-retracted': about('approve-question', 'question'),
  'question-dismissed': about('restore-question', 'question'),
  'question-restored': asBefore('question', (row, question) => ({
    type: 'dismiss-question',
    data: { question, reason: row.because },
  })),
  'question-queued': queueAsBefore,
  'question-unqueued': queueAsBefore,
  'question-taken': about('release-question', 'question'),
  'question-released': about('take-question', 'question'),
  'question-answered': about('reopen-question', 'question'),
  'discussion-opened': about('close-discussion', 'session'),
  'discussion-closed': about('reopen-discussion', 'session'),
  'discussion-reopened': about('close-discussion', 'session'),
  'message-hidden': about('restore-message', 'message'),
  'message-restored': asBefore('discussion_message', (row, message) => ({
    type: 'hide-message',
    data: { message, reason: row.because },
  })),
  'update-amended': asBefore('update', (row, update) => ({
    type: 'amend-update',
    data: { update, ...pick(row, ['texts', 'audience', 'expiresAt', 'url', 'sponsor']) },
  })),
  'update-posted': about('retract-update', 'update'),
  'moderator-granted': about('revoke-moderator', 'moderator'),
  'moderator-revoked': ({ before, subject }) => {
    const row = rowOf(before, 'moderator');
    const sessions = row?.sessions as { readonly all: boolean; readonly ids: readonly string[] } | undefined;
    return sessions
      ? { type: 'grant-moderator', data: { moderator: subject, sessions: sessions.all ? 'all' : sessions.ids } }
      : null;
  },
};

/** null: there is no way back, or none that the audit knows. */
export const inverseOf = (act: AuditedAct): CommandToSend | null => INVERSES[act.type]?.(act) ?? null;
