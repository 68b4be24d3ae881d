/** What a moderator can do with a question in its state, and what takes it back. Pure. */
import type { DeskQuestionDocument, QuestionState } from '../../conference/questions/documents.js';
import type { Act } from '../shared/notices.js';

export type ActName =
  | 'approve'
  | 'dismiss'
  | 'take'
  | 'release'
  | 'answer'
  | 'reopen'
  | 'queue'
  | 'unqueue'
  | 'restore';

export interface QuestionAct {
  readonly act: Act;
  readonly undo: Act | undefined;
}

const POSSIBLE: Readonly<Record<QuestionState, readonly ActName[]>> = {
  pending: ['approve', 'dismiss'],
  approved: ['take', 'queue', 'unqueue', 'answer', 'dismiss'],
  taken: ['release', 'answer'],
  answered: ['reopen'],
  dismissed: ['restore', 'approve'],
  withdrawn: [],
};

export function possible({ state, queued }: DeskQuestionDocument): readonly ActName[] {
  return POSSIBLE[state].filter(
    (name) => !(name === 'queue' && queued !== null) && !(name === 'unqueue' && queued === null),
  );
}

const on = (type: string, question: string, more: object = {}): Act => ({ type, data: { question, ...more } });

/**
 * @param taken id of the question that is on stage: taking another releases it
 * @param reason of a dismissal
 */
export function questionAct(
  name: ActName,
  question: DeskQuestionDocument,
  { taken, reason = 'off-topic' }: { readonly taken: string | null; readonly reason?: string | undefined },
): QuestionAct {
  const { id, queued, because } = question;
  switch (name) {
    case 'approve':
      return { act: on('approve-question', id), undo: on('retract-approval', id) };
    case 'dismiss':
      return { act: on('dismiss-question', id, { reason }), undo: on('restore-question', id) };
    case 'restore':
      return { act: on('restore-question', id), undo: on('dismiss-question', id, { reason: because ?? reason }) };
    case 'take':
      return {
        act: on('take-question', id),
        undo: taken && taken !== id ? on('take-question', taken) : on('release-question', id),
      };
    case 'release':
      return { act: on('release-question', id), undo: on('take-question', id) };
    case 'answer':
      return { act: on('answer-question', id), undo: on('reopen-question', id) };
    case 'reopen':
      return { act: on('reopen-question', id), undo: on('answer-question', id) };
    case 'queue':
      return { act: on('queue-question', id), undo: on('unqueue-question', id) };
    case 'unqueue':
      return { act: on('unqueue-question', id), undo: on('queue-question', id, { place: queued }) };
  }
}

const KEYS: Readonly<Record<string, readonly ActName[]>> = {
  a: ['approve'],
  t: ['take', 'release'],
  n: ['queue', 'unqueue'],
  r: ['answer', 'reopen'],
  b: ['restore'],
};

/** The act that a key means for a question in this state. */
export function actOfKey(key: string, question: DeskQuestionDocument): ActName | undefined {
  const can = possible(question);
  if (/^[1-5]$/.test(key)) return can.includes('dismiss') ? 'dismiss' : undefined;
  return KEYS[key]?.find((name) => can.includes(name));
}

const byTime = (a: DeskQuestionDocument, b: DeskQuestionDocument): number => (a.askedAt < b.askedAt ? -1 : 1);

/** The columns of a desk, each in its order: waiting oldest first, public as the room sees them, the rest latest first. */
export function columnsOf(questions: readonly DeskQuestionDocument[]) {
  const open = questions.filter(({ state }) => state === 'approved' || state === 'taken');
  return {
    waiting: questions.filter(({ state }) => state === 'pending').sort(byTime),
    public: open.sort(
      (a, b) =>
        (a.queued ?? Number.POSITIVE_INFINITY) - (b.queued ?? Number.POSITIVE_INFINITY) ||
        b.votes - a.votes ||
        byTime(a, b),
    ),
    away: questions.filter(({ state }) => state === 'dismissed' || state === 'answered').sort((a, b) => byTime(b, a)),
  };
}
