import type { z } from 'zod';
import type { NewEvent } from '#libs/event-log';
import { defineLimit } from '#libs/limits';
import { Refusal } from '#libs/protocol';
import type { DecisionContext, DecisionState } from '../capability.js';
import { dayOf, notFound, rule, sessionStream } from '../kernel.js';
import type { SessionDocument } from './documents.js';
import type { sessionFacts, slot } from './events.js';

type Decision = readonly NewEvent[] | Refusal;
type Facts = z.output<typeof sessionFacts>;
type Slot = z.output<typeof slot>;

export const sessionOf = (state: DecisionState, id: string): SessionDocument | undefined =>
  state.document<SessionDocument>('schedule', `session/${id}`);

const sessionsIn = (state: DecisionState, room: string): readonly SessionDocument[] =>
  state
    .documents<SessionDocument>('schedule', 'session')
    .map(({ body }) => body)
    .filter((session) => session.room === room);

const eventOf = (type: string, session: string, data: NewEvent['data'] = {}): NewEvent => ({
  type,
  subject: session,
  stream: sessionStream(session),
  data: { session, ...data },
});

const MAX_LENGTH_MS = defineLimit({
  name: 'sessions.length',
  value: 7 * 24 * 3_600_000,
  unit: 'ms',
  beyond: 'the command is refused with 208',
});

function badSlot({ room, start, end }: Slot, state: DecisionState): Refusal | undefined {
  if (!state.document('schedule', `room/${room}`)) return notFound('room');
  const length = Date.parse(end) - Date.parse(start);
  if (length <= 0) return rule('it would end before it starts');
  return length > MAX_LENGTH_MS ? rule('it would last longer than a week') : undefined;
}

export function schedule(
  data: Facts & Slot & { readonly id?: string | undefined },
  { state, eventId }: DecisionContext,
): Decision {
  const bad = badSlot(data, state);
  if (bad) return bad;
  const { id = eventId(0), ...rest } = data;
  if (sessionOf(state, id)) return rule('this session exists already');
  return [{ type: 'session-scheduled', subject: id, stream: sessionStream(id), data: rest }];
}

export function amend(
  { session, ...changes }: { readonly session: string } & { readonly [K in keyof Facts]?: Facts[K] | undefined },
  { state }: DecisionContext,
): Decision {
  const known = sessionOf(state, session);
  if (!known) return notFound('session');
  const facts = {
    ...factsOf(known),
    ...Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined)),
  };
  return sameFacts(facts, factsOf(known))
    ? []
    : [{ type: 'session-amended', subject: session, stream: sessionStream(session), data: facts }];
}

export function reschedule(
  { session, ...slot }: { readonly session: string } & Slot,
  { state }: DecisionContext,
): Decision {
  const known = sessionOf(state, session);
  if (!known) return notFound('session');
  if (known.state === 'ended' || known.state === 'cancelled')
    return rule(known.state === 'ended' ? 'already ended' : 'it is cancelled');
  const bad = badSlot(slot, state);
  if (bad) return bad;
  if (known.state === 'running' && runningIn(state, slot.room, session).length > 0)
    return rule('another session is running in that room');
  return sameSlot(slot, slotOf(known)) ? [] : [eventOf('session-rescheduled', session, slot)];
}

/** Both or neither: two events of one command. */
export function swap(
  { first, second }: { readonly first: string; readonly second: string },
  { state }: DecisionContext,
): Decision {
  const [a, b] = [sessionOf(state, first), sessionOf(state, second)];
  if (!a || !b) return notFound('session');
  if (first === second) return rule('these are the same session');
  if (a.state !== 'scheduled' || b.state !== 'scheduled') return rule('both must be still to come');
  return [eventOf('session-rescheduled', first, slotOf(b)), eventOf('session-rescheduled', second, slotOf(a))];
}

export function delay(
  data: { readonly session: string; readonly expectedStart: string; readonly reason: string | null },
  { state }: DecisionContext,
): Decision {
  const known = sessionOf(state, data.session);
  if (!known) return notFound('session');
  if (known.state !== 'scheduled')
    return rule(known.state === 'running' ? 'already running' : `already ${known.state}`);
  if (Date.parse(data.expectedStart) < Date.parse(known.planned.start))
    return rule('it would start before its planned time; reschedule it');
  return [eventOf('session-delayed', data.session, { expectedStart: data.expectedStart, reason: data.reason })];
}

/** Pushes what is still to come in this room on the conference's day: many events, one command. */
export function delayRoom(
  { room, minutes, reason }: { readonly room: string; readonly minutes: number; readonly reason: string | null },
  { state, now }: DecisionContext,
): Decision {
  const conference = state.document<{ timeZone: string; dayChange: string }>('schedule', 'conference/self');
  if (!conference || !state.document('schedule', `room/${room}`)) return notFound('room');
  const day = dayOf(now, conference);
  const coming = sessionsIn(state, room).filter((session) => {
    const starts = Date.parse(session.planned.start);
    return (
      session.state === 'scheduled' && starts >= day.start && starts < day.end && expectedEnd(session) > now.getTime()
    );
  });
  if (coming.length === 0) return rule('nothing is still to come in this room today');
  return coming.slice(0, 200).map((session) => {
    const expectedStart = new Date(expectedFrom(session) + minutes * 60_000).toISOString();
    return eventOf('session-delayed', session.id, { expectedStart, reason });
  });
}

const expectedFrom = ({ expectedStart, planned }: SessionDocument): number =>
  Date.parse(expectedStart ?? planned.start);
const expectedEnd = (session: SessionDocument): number =>
  expectedFrom(session) + Date.parse(session.planned.end) - Date.parse(session.planned.start);

const runningIn = (state: DecisionState, room: string, except: string): readonly SessionDocument[] =>
  sessionsIn(state, room).filter((other) => other.state === 'running' && other.id !== except);

/** For moderators: the grants that a start needs, also for whatever it ends. */
export function sessionsOfStart(
  { session, endOther }: { readonly session: string; readonly endOther: boolean },
  state: DecisionState,
): readonly string[] {
  const room = endOther ? sessionOf(state, session)?.room : undefined;
  return [session, ...(room ? runningIn(state, room, session).map(({ id }) => id) : [])];
}

export function start(
  { session, endOther }: { readonly session: string; readonly endOther: boolean },
  { state }: DecisionContext,
): Decision {
  const known = sessionOf(state, session);
  if (!known) return notFound('session');
  if (known.state !== 'scheduled')
    return rule(known.state === 'running' ? 'already running' : `already ${known.state}`);
  const others = runningIn(state, known.room, session);
  if (others.length > 0 && !endOther)
    return rule('another session is running in this room; end it in the same command (endOther)');
  return [...others.map((other) => eventOf('session-ended', other.id)), eventOf('session-started', session)];
}

export function reopen({ session }: { readonly session: string }, { state }: DecisionContext): Decision {
  const known = sessionOf(state, session);
  if (!known) return notFound('session');
  if (known.state !== 'ended') return rule('it has not ended');
  return runningIn(state, known.room, session).length > 0
    ? rule('another session is running in this room')
    : [eventOf('session-reopened', session)];
}

/** Acts that only ask for a state: [event, states from which it is possible]. */
export const act =
  (type: string, from: SessionDocument['state'], otherwise: string) =>
  (
    { session, ...rest }: { readonly session: string; readonly reason?: string | null },
    { state }: DecisionContext,
  ): Decision => {
    const known = sessionOf(state, session);
    if (!known) return notFound('session');
    if (known.state !== from) return rule(known.state === 'ended' ? 'already ended' : otherwise);
    return [eventOf(type, session, rest)];
  };

export function publishRecording(
  { session, url }: { readonly session: string; readonly url: string },
  { state }: DecisionContext,
): Decision {
  const known = sessionOf(state, session);
  if (!known) return notFound('session');
  return known.recording === url ? [] : [eventOf('recording-published', session, { url })];
}

export function retractRecording({ session }: { readonly session: string }, { state }: DecisionContext): Decision {
  const known = sessionOf(state, session);
  if (!known) return notFound('session');
  return known.recording === null ? rule('nothing is published') : [eventOf('recording-retracted', session)];
}

export type ImportedSession = Facts & Slot & { readonly id: string };

/**
 * What differs from the documents becomes events; instants are compared, never strings of another form. A room or time set by hand
 * stays, unless it is to be overridden.
 */
export function importSessions(
  { sessions, override }: { readonly sessions: readonly ImportedSession[]; readonly override: boolean },
  { state }: DecisionContext,
): Decision {
  const events: NewEvent[] = [];
  for (const { id, ...wanted } of sessions) {
    const bad = badSlot(wanted, state);
    if (bad) return new Refusal(bad.refusal, `session ${id}: ${bad.message}`);
    const known = sessionOf(state, id);
    const stream = sessionStream(id);
    if (!known) {
      events.push({ type: 'session-scheduled', subject: id, stream, data: wanted });
      continue;
    }
    const { room, start: from, end, ...facts } = wanted;
    if (!sameSlot(wanted, slotOf(known)) && known.state === 'scheduled' && (override || !known.pinned))
      events.push(eventOf('session-rescheduled', id, { room, start: from, end, imported: true }));
    if (!sameFacts(facts, factsOf(known))) events.push({ type: 'session-amended', subject: id, stream, data: facts });
  }
  return events;
}

const slotOf = ({ room, planned }: SessionDocument): Slot => ({ room, start: planned.start, end: planned.end });
const factsOf = ({ kind, title, subtitle, abstract, speakers, track, language, url }: SessionDocument): Facts => ({
  kind,
  title,
  subtitle,
  abstract,
  speakers: [...speakers],
  track,
  language,
  url,
});
const sameSlot = (a: Slot, b: Slot): boolean =>
  a.room === b.room && Date.parse(a.start) === Date.parse(b.start) && Date.parse(a.end) === Date.parse(b.end);
const sameFacts = (a: Facts, b: Facts): boolean =>
  (Object.keys(b) as (keyof Facts)[]).every((name) => JSON.stringify(a[name]) === JSON.stringify(b[name]));
