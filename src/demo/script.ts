/**
 * The demo as commands in time. Pure: the same conference and beginning give the same steps with the same ids, so that a step that is
 * played again, by another process or after a restart, acts once (I13).
 */
import { v5 as uuidv5 } from 'uuid';
import { commandIdOf, eventIdOf } from '#libs/event-log';
import type { Identity } from '../conference/capability.js';
import { CONFERENCE, type DemoSession, ROOMS, SESSIONS } from './programme.js';
import { UPDATES } from './updates.js';

export interface Step {
  /** Seconds after the beginning. */
  readonly at: number;
  readonly by: Identity;
  readonly message: { readonly id: string; readonly type: string; readonly data: object };
}

/** Who plays the crew; whoever else acts has taken over. */
export const PLAYER = 'demo';

/** For whom a desk is prepared. */
export const MODERATOR = 'demo-moderator';

const NAMESPACE = '0f0c3b7e-63a1-5d0e-8b9e-3f6a1c2d4e5f';
const MINUTE = 60;
const AUDIENCE = 12;
/** No more than two are shown at a time. */
const UPDATE_MINUTES = 10;

/** @param beginning milliseconds since 1970 */
export function scriptOf(conference: string, beginning: number): readonly Step[] {
  const write = writer(conference);
  const set = [
    write(0, 'open', 'open-conference', CONFERENCE),
    write(0, 'rooms', 'define-rooms', { rooms: ROOMS }),
    write(0, 'moderator', 'grant-moderator', { moderator: MODERATOR, name: 'The desk of the demo' }),
    ...SESSIONS.map((session) => write(0, `plan ${session.id}`, 'schedule-session', planned(session, beginning))),
  ];
  const updates = UPDATES.map(({ at, severity, texts }) =>
    write(at * MINUTE, `update ${at}`, 'post-update', {
      texts,
      severity,
      expiresAt: new Date(beginning + (at + UPDATE_MINUTES) * MINUTE * 1_000).toISOString(),
    }),
  );
  const all = [...set, ...updates, ...SESSIONS.flatMap((session) => sessionSteps(write, session, beginning))];
  // Stable: what is written first at an instant comes first.
  return all.sort((a, b) => a.at - b.at);
}

type Write = ReturnType<typeof writer>;

const writer =
  (conference: string) =>
  (at: number, name: string, type: string, data: object, by?: string): Step => ({
    at,
    by: by ? { actor: by, role: 'attendee', conference } : { actor: PLAYER, role: 'organizer', conference },
    message: { id: uuidv5(`${conference}\n${name}`, NAMESPACE), type, data },
  });

/** Id of the thing that the step's first event makes. */
const madeBy = ({ by, message }: Step): string => eventIdOf(commandIdOf(by.conference, by.actor, message.id), 0);

function planned({ id, room, kind, title, abstract, speakers, from, minutes }: DemoSession, beginning: number): object {
  const at = (minute: number) => new Date(beginning + minute * MINUTE * 1_000).toISOString();
  return { id, room, kind, title, abstract, speakers, language: 'en', start: at(from), end: at(from + minutes) };
}

function sessionSteps(write: Write, session: DemoSession, beginning: number): readonly Step[] {
  const { id, from, minutes, late, questions, discussion } = session;
  const start = (from + (late?.minutes ?? 0)) * MINUTE;
  const end = (from + minutes) * MINUTE + (late ? 60 : -20);
  const one = { session: id };
  return [
    ...(late
      ? [
          write(start - (late.minutes + 2) * MINUTE, `${id} late`, 'delay-session', {
            ...one,
            expectedStart: new Date(beginning + start * 1_000).toISOString(),
            reason: late.reason,
          }),
        ]
      : []),
    write(start, `${id} start`, 'start-session', { ...one, endOther: true }),
    ...(questions ? questionSteps(write, id, questions, start, end) : []),
    ...(discussion ? discussionSteps(write, id, discussion, start, end) : []),
    write(end, `${id} end`, 'end-session', one),
  ];
}

/** Asked one after the other; the last of a long list repeats the first and is dismissed; one after the other comes on stage. */
function questionSteps(
  write: Write,
  id: string,
  questions: readonly string[],
  start: number,
  end: number,
): readonly Step[] {
  const one = { session: id };
  const pause = Math.min(50, Math.floor((end - start - 120) / (questions.length * 2)));
  const turn = Math.floor((end - start - 90) / questions.length);
  const steps = [write(Math.max(0, start - 60), `${id} open`, 'open-questions', { ...one, mode: 'pre-moderated' })];
  for (const [index, text] of questions.entries()) {
    const asker = `attendee-${(index * 5 + id.length) % AUDIENCE}`;
    const asked = write(start + 15 + index * pause, `${id} ask ${index}`, 'ask-question', { ...one, text }, asker);
    const question = madeBy(asked);
    steps.push(asked);
    if (index === 4 && questions.length === 5) {
      steps.push(write(asked.at + 14, `${id} dismiss ${index}`, 'dismiss-question', { question, reason: 'duplicate' }));
      continue;
    }
    steps.push(write(asked.at + 10, `${id} approve ${index}`, 'approve-question', { question }));
    const taken = Math.max(start + 60 + index * turn, asked.at + 30);
    for (let vote = 0; vote < ((index * 7) % 9) + 1; vote++) {
      const voter = `attendee-${vote}`;
      const at = asked.at + 14 + vote * 3;
      if (voter !== asker && at < taken)
        steps.push(write(at, `${id} vote ${index} ${vote}`, 'upvote-question', { question }, voter));
    }
    steps.push(write(taken, `${id} take ${index}`, 'take-question', { question }));
    steps.push(write(Math.min(taken + turn - 10, end - 5), `${id} answer ${index}`, 'answer-question', { question }));
  }
  steps.push(write(end - 3, `${id} close`, 'close-questions', one));
  return steps;
}

function discussionSteps(
  write: Write,
  id: string,
  { topic, messages }: NonNullable<DemoSession['discussion']>,
  start: number,
  end: number,
): readonly Step[] {
  const one = { session: id };
  const pause = Math.floor((end - start - 60) / messages.length);
  return [
    write(start, `${id} discuss`, 'open-discussion', { ...one, topic }),
    ...messages.map((text, index) =>
      write(start + 20 + index * pause, `${id} say ${index}`, 'post-message', { ...one, text }, `attendee-${index}`),
    ),
    write(end - 2, `${id} discussed`, 'close-discussion', one),
  ];
}
