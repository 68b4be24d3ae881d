/**
 * (documents, server time) → what is on. The one place where documents meet the clock; pure, without dependencies, shared by pages, exports and tests.
 * A planned session that nobody started is never shown as running.
 */
import type { RoomDocument } from './conferences/documents.js';
import type { SessionDocument } from './sessions/documents.js';

const MINUTE = 60_000;

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
  readonly next: readonly ComingView[];
  readonly changes: readonly ChangeView[];
}

const at = (instant: string): number => Date.parse(instant);
const startOf = (session: SessionDocument): number => at(session.expectedStart ?? session.planned.start);
const lengthOf = ({ planned }: SessionDocument): number => at(planned.end) - at(planned.start);

export function running(session: SessionDocument, now: number): RunningView {
  const started = at(session.actual.start ?? session.planned.start);
  const endsAt = Math.max(at(session.planned.end), started + lengthOf(session));
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
    now: on ? running(on, now) : null,
    next,
    changes: changes.sort((a, b) => at(a.session.planned.start) - at(b.session.planned.start)),
  };
}

/** HH:MM on the conference's clock. */
export function clock(instant: number, timeZone: string, language: string): string {
  return new Intl.DateTimeFormat(language, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone }).format(
    instant,
  );
}
