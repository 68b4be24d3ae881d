import { ERASED, type LoggedEvent } from '#libs/event-log';
import { defineLimit } from '#libs/limits';
import {
  type EventHandler,
  type NoEffect,
  type Projection,
  type RowChange,
  type RowOf,
  type Rows,
  tableOf,
  untyped,
} from '#libs/projector';
import { DISMISSAL_REASONS, type QuestionState } from './documents.js';
import { QaRow, QuestionRow, QuestionVoteRow } from './entities.js';
import { questionViews } from './views.js';

export const qas = tableOf(QaRow);
export const questions = tableOf(QuestionRow);
export const votes = tableOf(QuestionVoteRow);
type Qa = RowOf<QaRow>;
type Question = RowOf<QuestionRow>;

const putQa = (qa: Qa): RowChange => ({ table: untyped(qas), put: qa });
const putQuestion = (question: Question): RowChange => ({ table: untyped(questions), put: question });
const sessionOf = ({ data }: LoggedEvent): string => String(data.session);

const onQa = (change: (qa: Qa | undefined, event: LoggedEvent) => Qa | string): EventHandler => ({
  reads: (event) => [{ table: untyped(qas), where: { session: sessionOf(event) } }],
  fold: (event, rows) => {
    const changed = change(rows.get(qas, { session: sessionOf(event) }), event);
    return typeof changed === 'string' ? { noEffect: changed } : [putQa(changed)];
  },
});

type Act = (question: Question, qa: Qa, event: LoggedEvent, rows: Rows) => readonly RowChange[] | string;

/** Everything done to one question: its row and its session's counts change together. */
const onQuestion = (act: Act): EventHandler => ({
  reads: (event, rows) => {
    const taken = rows.get(qas, { session: sessionOf(event) })?.taken;
    return [
      { table: untyped(questions), where: { id: event.subject } },
      { table: untyped(qas), where: { session: sessionOf(event) } },
      ...(taken ? [{ table: untyped(questions), where: { id: taken } }] : []),
    ];
  },
  fold: (event, rows): readonly RowChange[] | NoEffect => {
    const question = rows.get(questions, { id: event.subject });
    const qa = rows.get(qas, { session: sessionOf(event) });
    if (!question || !qa || question.session !== qa.session) return { noEffect: 'there is no such question' };
    if (question.state === 'withdrawn') return { noEffect: 'its author has withdrawn it' };
    const changes = act(question, qa, event, rows);
    return typeof changes === 'string' ? { noEffect: changes } : changes;
  },
});

/** A voter's votes in a session are read whole: the voter's own document shows them, too, and they are known after the first. */
const onVote = (act: Act): EventHandler => {
  const { reads, fold } = onQuestion(act);
  return {
    reads: (event, rows) => [
      ...reads(event, rows),
      // The row that is put or removed, too: else it would be looked up alone, vote by vote.
      { table: untyped(votes), where: { question: event.subject, voter: event.actor } },
      { table: untyped(votes), where: { voter: event.actor, session: sessionOf(event) } },
    ],
    fold,
  };
};

const hasVoted = ({ id, session }: Question, voter: string, rows: Rows): boolean =>
  rows.all(votes, { voter, session }).some(({ question }) => question === id);

const FRESH = {
  votes: 0,
  because: null,
  actor: null,
  answer: null,
  queued: null,
  reviewed: false,
  past: [],
  edited: false,
} as const;

const asked: EventHandler = {
  reads: (event) => [
    { table: untyped(qas), where: { session: sessionOf(event) } },
    { table: untyped(questions), where: { id: event.subject } },
  ],
  fold: (event, rows) => {
    const qa = rows.get(qas, { session: sessionOf(event) });
    if (!qa?.open) return { noEffect: 'questions are not open here' };
    if (rows.get(questions, { id: event.subject })) return { noEffect: 'this question exists already' };
    const pending = qa.mode === 'pre-moderated';
    const { text, name } = event.data;
    const question: Question = {
      ...FRESH,
      askedAt: event.time,
      id: event.subject,
      session: qa.session,
      author: event.actor,
      text: String(text),
      name: typeof name === 'string' ? name : null,
      state: pending ? 'pending' : 'approved',
    };
    return pending ? [putQuestion(question), putQa({ ...qa, waiting: qa.waiting + 1 })] : [putQuestion(question)];
  },
};

/** A message of the discussion, let through by whoever promoted it; its author stays its author. */
const promoted: EventHandler = {
  reads: (event) => [
    { table: untyped(qas), where: { session: sessionOf(event) } },
    { table: untyped(questions), where: { id: event.id } },
  ],
  fold: (event, rows) => {
    const qa = rows.get(qas, { session: sessionOf(event) });
    if (!qa) return { noEffect: 'questions were never opened here' };
    if (rows.get(questions, { id: event.id })) return { noEffect: 'this question exists already' };
    const { text, name, author } = event.data;
    return [
      putQuestion({
        ...FRESH,
        id: event.id,
        session: qa.session,
        author: String(author),
        text: String(text),
        name: typeof name === 'string' ? name : null,
        state: 'approved',
        reviewed: true,
        actor: event.actor,
        askedAt: event.time,
      }),
    ];
  },
};

/** Moves a question to a state and keeps the session's counts and the one on stage in step. */
function move(question: Question, qa: Qa, change: Partial<Question> & Pick<Question, 'state'>): RowChange[] {
  const moved = { ...question, ...change };
  const counts = {
    waiting: qa.waiting + Number(moved.state === 'pending') - Number(question.state === 'pending'),
    taken: moved.state === 'taken' ? question.id : qa.taken === question.id ? null : qa.taken,
    dismissed: counted(counted(qa.dismissed, question, -1), moved, 1),
  };
  return [putQuestion(moved), putQa({ ...qa, ...counts })];
}

function counted(counts: Qa['dismissed'], { state, because }: Question, by: number): Qa['dismissed'] {
  if (state !== 'dismissed') return counts;
  const reason = (DISMISSAL_REASONS as readonly string[]).includes(because ?? '') ? (because ?? '') : 'other';
  const { [reason]: before = 0, ...others } = counts;
  return before + by === 0 ? others : { ...others, [reason]: before + by };
}

/** So many acts on one question can be taken back; a desk undoes the last few. */
const KEPT = defineLimit({
  name: 'questions.states.kept',
  value: 20,
  unit: 'entries',
  beyond: 'the oldest state is forgotten; undo goes back to the ones after it',
});
const onward = (question: Question, qa: Qa, change: Partial<Question> & Pick<Question, 'state'>): RowChange[] =>
  move(question, qa, { ...change, past: [...question.past, question.state].slice(-KEPT) });

/** I10: the inverse of an act brings back what was before it. The stage may be taken by then: it stays with whom it has. */
function back(question: Question, qa: Qa, otherwise: QuestionState, change: Partial<Question>): RowChange[] {
  const before = question.past.at(-1) ?? otherwise;
  const state = before === 'taken' && qa.taken !== null ? 'approved' : before;
  return move(question, qa, { ...change, state, past: question.past.slice(0, -1) });
}

const dismissed: Act = (question, qa, { actor, data }) => {
  if (question.state === 'dismissed') return 'already dismissed';
  if (question.state !== 'pending' && question.state !== 'approved') return `it is ${question.state}`;
  return onward(question, qa, { state: 'dismissed', because: String(data.reason), actor });
};

const approved: Act = (question, qa, { actor }) =>
  question.state === 'pending' || question.state === 'dismissed'
    ? onward(question, qa, { state: 'approved', reviewed: true, actor })
    : 'already approved';

const taken: Act = (question, qa, { actor }, rows) => {
  if (question.state === 'taken') return 'already on stage';
  if (question.state !== 'approved') return 'it is not approved';
  // Two desks at once: the later one wins the stage.
  const before = qa.taken ? rows.get(questions, { id: qa.taken }) : undefined;
  return [
    ...(before?.state === 'taken' ? back(before, qa, 'approved', { actor }).slice(0, 1) : []),
    ...onward(question, qa, { state: 'taken', actor }),
  ];
};

const answered: Act = (question, qa, { actor, data }) => {
  if (question.state === 'answered') return 'already answered';
  if (question.state !== 'taken' && question.state !== 'approved') return 'it is not approved';
  return onward(question, qa, {
    state: 'answered',
    actor,
    answer: typeof data.answer === 'string' ? data.answer : null,
  });
};

const queued: Act = (question, qa, { actor, data }) => {
  if (question.state !== 'approved') return 'it is not approved';
  const place = typeof data.place === 'number' ? data.place : null;
  if (question.queued !== null && (place === null || place === question.queued)) return 'already up next';
  const chosen = place ?? Math.floor(qa.queue) + 1;
  return [putQuestion({ ...question, queued: chosen, actor }), putQa({ ...qa, queue: Math.max(qa.queue, chosen) })];
};

const upvoted: Act = (question, qa, { actor }, rows) => {
  if (qa.frozen) return 'voting is closed';
  if (question.author === actor) return 'nobody votes for their own question';
  if (question.state !== 'approved' && question.state !== 'taken') return 'it cannot be voted on';
  if (hasVoted(question, actor, rows)) return 'already voted';
  return [
    { table: untyped(votes), put: { question: question.id, voter: actor, session: question.session } },
    putQuestion({ ...question, votes: question.votes + 1 }),
  ];
};

const unvoted: Act = (question, qa, { actor }, rows) => {
  if (qa.frozen) return 'voting is closed';
  if (!hasVoted(question, actor, rows)) return 'there is no vote to take back';
  return [
    { table: untyped(votes), remove: { question: question.id, voter: actor } },
    putQuestion({ ...question, votes: question.votes - 1 }),
  ];
};

/** Texts go, counts and order stay: of one's own questions, and of the answers one wrote. */
const erased: EventHandler = {
  reads: ({ data }) => [
    { table: untyped(questions), where: { author: String(data.subject) } },
    { table: untyped(questions), where: { actor: String(data.subject) } },
  ],
  fold: ({ data }, rows) => {
    const subject = String(data.subject);
    const own = rows.all(questions, { author: subject });
    const answered = rows.all(questions, { actor: subject }).filter(({ answer }) => answer !== null);
    return [...new Map([...own, ...answered].map((question) => [question.id, question])).values()].map((question) =>
      putQuestion({
        ...question,
        ...(question.author === subject ? { text: ERASED, name: question.name === null ? null : ERASED } : {}),
        ...(question.actor === subject && question.answer !== null ? { answer: ERASED } : {}),
      }),
    );
  },
};

export const projection: Projection = {
  name: 'questions',
  tables: [untyped(qas), untyped(questions), untyped(votes)],
  on: {
    'questions-opened': onQa((qa, { data, subject }) => {
      const mode = data.mode === 'open' ? 'open' : 'pre-moderated';
      if (qa?.open && qa.mode === mode) return 'questions are open already';
      return {
        ...(qa ?? { session: subject, taken: null, waiting: 0, queue: 0, dismissed: {} }),
        open: true,
        frozen: false,
        mode,
      };
    }),
    'questions-closed': onQa((qa, { data }) => {
      if (!qa) return 'questions were never opened';
      const frozen = data.frozen === true;
      return !qa.open && qa.frozen === frozen ? 'questions are closed already' : { ...qa, open: false, frozen };
    }),
    'question-asked': asked,
    'message-promoted': promoted,
    'question-edited': onQuestion((question, _, { actor, data }) =>
      question.author !== actor
        ? 'only its author can edit a question'
        : question.state === 'pending' || (question.state === 'approved' && !question.reviewed)
          ? [putQuestion({ ...question, text: String(data.text), edited: true })]
          : question.state === 'approved'
            ? 'a moderator has approved it as it is'
            : `it is ${question.state}`,
    ),
    'question-withdrawn': onQuestion((question, qa, { actor }) =>
      question.author !== actor
        ? 'only its author can withdraw a question'
        : question.state === 'pending' || question.state === 'approved'
          ? move(question, qa, { state: 'withdrawn' })
          : `it is ${question.state}`,
    ),
    'question-approved': onQuestion(approved),
    'question-approval-retracted': onQuestion((question, qa, { actor }) =>
      question.state === 'approved' ? back(question, qa, 'pending', { actor }) : `it is ${question.state}`,
    ),
    'question-dismissed': onQuestion(dismissed),
    'question-restored': onQuestion((question, qa, { actor }) =>
      question.state === 'dismissed' ? back(question, qa, 'pending', { actor }) : 'it is not dismissed',
    ),
    'question-upvoted': onVote(upvoted),
    'question-upvote-withdrawn': onVote(unvoted),
    'question-queued': onQuestion(queued),
    'question-unqueued': onQuestion((question, _, { actor }) =>
      question.state !== 'approved' || question.queued === null
        ? 'it is not up next'
        : [putQuestion({ ...question, queued: null, actor })],
    ),
    'question-taken': onQuestion(taken),
    'question-released': onQuestion((question, qa, { actor }) =>
      question.state === 'taken' ? back(question, qa, 'approved', { actor }) : 'it is not on stage',
    ),
    'question-answered': onQuestion(answered),
    'question-reopened': onQuestion((question, qa, { actor }) =>
      question.state === 'answered' ? back(question, qa, 'approved', { actor, answer: null }) : 'it is not answered',
    ),
    'attendee-erased': erased,
  },
  documents: questionViews(qas, questions, votes),
};
