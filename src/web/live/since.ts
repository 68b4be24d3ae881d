/** What is different from when somebody last looked. Only what matters for going there counts: room, times, cancelled or not. */
import type { SessionDocument } from '../../conference/sessions/documents.js';

type Seen = readonly [room: string, start: string, cancelled: boolean, expectedStart: string | null];

/** By session id. */
export type Looked = Readonly<Record<string, Seen>>;

export interface Difference {
  readonly session: SessionDocument;
  readonly what: 'new' | 'cancelled' | 'restored' | 'moved' | 'new-time' | 'delayed' | 'on-time';
  /** Room it was in, for `moved`. */
  readonly from: string | null;
}

const seen = ({ room, planned, state, expectedStart }: SessionDocument): Seen => [
  room,
  planned.start,
  state === 'cancelled',
  expectedStart,
];

export const lookedAt = (sessions: readonly SessionDocument[]): Looked =>
  Object.fromEntries(sessions.map((session) => [session.id, seen(session)]));

/** Sessions that are still to come or on, in order of their start. @param now server time, milliseconds since 1970 */
export function differences(looked: Looked, sessions: readonly SessionDocument[], now: number): readonly Difference[] {
  return sessions
    .filter(({ planned, state }) => state !== 'ended' && Date.parse(planned.end) > now)
    .flatMap((session): Difference[] => {
      const before = looked[session.id];
      const what = before ? changeOf(before, seen(session)) : 'new';
      return what ? [{ session, what, from: before?.[0] ?? null }] : [];
    })
    .sort((a, b) => Date.parse(a.session.planned.start) - Date.parse(b.session.planned.start));
}

function changeOf(before: Seen, after: Seen): Difference['what'] | null {
  if (before[2] !== after[2]) return after[2] ? 'cancelled' : 'restored';
  if (after[2]) return null;
  if (before[0] !== after[0]) return 'moved';
  if (before[1] !== after[1]) return 'new-time';
  if (before[3] === after[3]) return null;
  return after[3] === null ? 'on-time' : 'delayed';
}

const isSeen = (value: unknown): value is Seen =>
  Array.isArray(value) &&
  typeof value[0] === 'string' &&
  typeof value[1] === 'string' &&
  typeof value[2] === 'boolean' &&
  (value[3] === null || typeof value[3] === 'string');

/** Reads what was kept; anything else than that is as if one had never looked. */
export function parseLooked(text: string | undefined): Looked | null {
  if (text === undefined) return null;
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return null;
    return Object.values(parsed).every(isSeen) ? (parsed as Looked) : null;
  } catch {
    return null;
  }
}
