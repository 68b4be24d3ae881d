/**
 * (documents, server time) → what is on. The one place where documents meet the clock; pure, without dependencies, shared by pages, exports and tests.
 * A planned session that nobody started is never shown as running.
 */
import type { RoomDocument } from './conferences/documents.js';
import type { SessionDocument } from './sessions/documents.js';

const MINUTE = 60_000;
/** Speakers and questions take this long; longer over, with the next one due, a session was not ended by anybody. */
export const OVERRUN_MS = 15 * MINUTE;

export interface RunningView {
  readonly session: SessionDocument;
  /** Milliseconds since 1970: when it is to end, a late start included. */
  readonly endsAt: number;
  /** Whole minutes left, or over; exactly one is a number. */
  readonly minutesLeft: number | null;
  readonly minutesOver: number | null;
}

export interface ComingView {
  readonly session: SessionDocument;
  /** Milliseconds since 1970: announced or planned start. */
  readonly startsAt: number;
  readonly minutesUntil: number;
  readonly delayed: boolean;
  /** Its start has passed and nobody has started it: "about". */
  readonly due: boolean;
}

export interface ChangeView {
  readonly session: SessionDocument;
  readonly what: 'cancelled' | 'moved-away' | 'moved-here' | 'new-time';
}

export interface RoomView {
  readonly room: RoomDocument;
  readonly now: RunningView | null;
  /** Started, long over, and never ended: not what is on now. */
  readonly unended: RunningView | null;
  readonly next: readonly ComingView[];
  readonly changes: readonly ChangeView[];
}

const at = (instant: string): number => Date.parse(instant);
const startOf = (session: SessionDocument): number => at(session.expectedStart ?? session.planned.start);
const lengthOf = ({ planned }: SessionDocument): number => at(planned.end) - at(planned.start);

function running(session: SessionDocument, now: number): RunningView {
  const { endsAt } = timesOf(session);
  const left = endsAt - now;
  return {
    session,
    endsAt,
    minutesLeft: left >= 0 ? Math.ceil(left / MINUTE) : null,
    minutesOver: left < 0 ? Math.floor(-left / MINUTE) : null,
  };
}

function coming(session: SessionDocument, now: number): ComingView {
  const startsAt = startOf(session);
  return {
    session,
    startsAt,
    minutesUntil: Math.max(0, Math.ceil((startsAt - now) / MINUTE)),
    delayed: session.expectedStart !== null,
    due: startsAt <= now,
  };
}

function changeOf(session: SessionDocument, room: string, now: number): ChangeView['what'] | null {
  const { before, planned, state } = session;
  if (state === 'cancelled') return session.room === room && at(planned.end) > now ? 'cancelled' : null;
  if (state === 'ended') return null;
  if (session.room !== room)
    return before.some((slot) => slot.room === room && at(slot.end) > now) ? 'moved-away' : null;
  const origin = before[0];
  if (!origin || at(planned.end) <= now) return null;
  if (origin.room !== room) return 'moved-here';
  return origin.start === planned.start ? null : 'new-time';
}

export interface TimesView {
  /** Milliseconds since 1970: as it was, is, or is announced to be. */
  readonly startsAt: number;
  readonly endsAt: number;
  /** Other than planned. */
  readonly shifted: boolean;
}

/** When a session is, for every page alike: the times it had, the times it has by its start, or those that were announced. */
export function timesOf(session: SessionDocument): TimesView {
  const { actual, planned, state } = session;
  const begun = actual.start !== null && (state === 'running' || state === 'ended');
  const startsAt = begun ? at(actual.start ?? '') : startOf(session);
  const late = Math.max(at(planned.end), startsAt + lengthOf(session));
  const endsAt = state === 'ended' && actual.end !== null ? at(actual.end) : late;
  return {
    startsAt,
    endsAt,
    shifted: minute(startsAt) !== minute(at(planned.start)) || minute(endsAt) !== minute(at(planned.end)),
  };
}

const minute = (instant: number): number => Math.floor(instant / MINUTE);

/**
 * Whether a session that was not ended is still what is on: until the next one in its room is to start, but 15 minutes over in any case,
 * and never longer over than it was to last.
 */
function isStillOn({ session, endsAt }: RunningView, sessions: readonly SessionDocument[], now: number): boolean {
  const nextAt = Math.min(
    ...sessions
      .filter(({ room, state }) => room === session.room && state === 'scheduled')
      .map(startOf)
      .filter((startsAt) => startsAt > at(session.planned.start)),
  );
  return now < Math.min(endsAt + Math.max(lengthOf(session), MINUTE), Math.max(endsAt + OVERRUN_MS, nextAt));
}

/** @param sessions of the same room, or more */
export function viewRunning(
  session: SessionDocument,
  sessions: readonly SessionDocument[],
  now: number,
): Pick<RoomView, 'now' | 'unended'> {
  if (session.state !== 'running') return { now: null, unended: null };
  const view = running(session, now);
  return isStillOn(view, sessions, now) ? { now: view, unended: null } : { now: null, unended: view };
}

/** @param now server time, milliseconds since 1970 */
export function viewRoom(room: RoomDocument, sessions: readonly SessionDocument[], now: number): RoomView {
  const here = sessions.filter((session) => session.room === room.id);
  const on = here
    .filter(({ state }) => state === 'running')
    .sort((a, b) => at(b.actual.start ?? '') - at(a.actual.start ?? ''))[0];
  const next = here
    .filter((session) => session.state === 'scheduled' && startOf(session) + lengthOf(session) > now)
    .sort((a, b) => startOf(a) - startOf(b) || (a.id < b.id ? -1 : 1))
    .map((session) => coming(session, now));
  const changes = sessions.flatMap((session): ChangeView[] => {
    const what = changeOf(session, room.id, now);
    return what ? [{ session, what }] : [];
  });
  return {
    room,
    ...(on ? viewRunning(on, here, now) : { now: null, unended: null }),
    next,
    changes: changes.sort((a, b) => at(a.session.planned.start) - at(b.session.planned.start)),
  };
}
