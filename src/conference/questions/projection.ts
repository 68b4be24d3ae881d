import { ERASED, type LoggedEvent } from '#libs/event-log';
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
import { DISMISSAL_REASONS } from './documents.js';
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
      { table: untyped(votes), where: { question: event.subject, voter: event.actor } },
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
    const fresh = {
      votes: 0,
      because: null,
      actor: null,
      answer: null,
      queued: null,
      edited: false,
      askedAt: event.time,
    };
    const question: Question = {
      ...fresh,
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

/** Moves a question to a state and keeps the session's counts and the one on stage in step. */
function move(question: Question, qa: Qa, change: Partial<Question> & Pick<Question, 'state'>): RowChange[] {
  const waiting = qa.waiting + Number(change.state === 'pending') - Number(question.state === 'pending');
  const taken = change.state === 'taken' ? question.id : qa.taken === question.id ? null : qa.taken;
  const moved = { ...question, ...change, queued: change.state === 'approved' ? (change.queued ?? null) : null };
  return [
    putQuestion(moved),
    ...(waiting !== qa.waiting || taken !== qa.taken ? [putQa({ ...qa, waiting, taken })] : []),
  ];
}

const reasonClass = (reason: string): string =>
  (DISMISSAL_REASONS as readonly string[]).includes(reason) ? reason : 'other';
const counted = (qa: Qa, reason: string, by: number): Qa => ({
  ...qa,
  dismissed: { ...qa.dismissed, [reasonClass(reason)]: (qa.dismissed[reasonClass(reason)] ?? 0) + by },
});

const dismissed: Act = (question, qa, { actor, data }) => {
  if (question.state === 'dismissed') return 'already dismissed';
  if (question.state !== 'pending' && question.state !== 'approved') return `it is ${question.state}`;
  const because = String(data.reason);
  return move(question, counted(qa, because, 1), { state: 'dismissed', because, actor }).concat(
    question.state === 'pending' ? [] : [putQa(counted(qa, because, 1))],
  );
};

/** Back from "dismissed", to waiting or to all. */
const undismissed =
  (state: 'pending' | 'approved'): Act =>
  (question, qa, { actor }) => {
    const counts = counted(qa, question.because ?? '', -1);
    const [row] = move(question, counts, { state, because: null, actor });
    return row ? [row, putQa({ ...counts, waiting: counts.waiting + Number(state === 'pending') })] : [];
  };

const approved: Act = (question, qa, event, rows) => {
  if (question.state === 'dismissed') return undismissed('approved')(question, qa, event, rows);
  return question.state === 'pending'
    ? move(question, qa, { state: 'approved', actor: event.actor })
    : 'already approved';
};

const taken: Act = (question, qa, { actor }, rows) => {
  if (question.state === 'taken') return 'already on stage';
  if (question.state !== 'approved') return 'it is not approved';
  const before = qa.taken ? rows.get(questions, { id: qa.taken }) : undefined;
  return [
    ...(before?.state === 'taken' ? [putQuestion({ ...before, state: 'approved', actor })] : []),
    ...move(question, qa, { state: 'taken', actor }),
  ];
};

const upvoted: Act = (question, qa, { actor }, rows) => {
  if (qa.frozen) return 'voting is closed';
  if (question.author === actor) return 'nobody votes for their own question';
  if (question.state !== 'approved' && question.state !== 'taken') return 'it cannot be voted on';
  if (rows.get(votes, { question: question.id, voter: actor })) return 'already voted';
  return [
    { table: untyped(votes), put: { question: question.id, voter: actor, session: question.session } },
    putQuestion({ ...question, votes: question.votes + 1 }),
  ];
};

const unvoted: Act = (question, qa, { actor }, rows) => {
  if (qa.frozen) return 'voting is closed';
  if (!rows.get(votes, { question: question.id, voter: actor })) return 'there is no vote to take back';
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
    'question-edited': onQuestion((question, _, { actor, data }) =>
      question.author !== actor
        ? 'only its author can edit a question'
        : question.state === 'pending' || question.state === 'approved'
          ? [putQuestion({ ...question, text: String(data.text), edited: true })]
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
    'question-dismissed': onQuestion(dismissed),
    'question-restored': onQuestion((question, qa, event, rows) =>
      question.state === 'dismissed' ? undismissed('pending')(question, qa, event, rows) : 'it is not dismissed',
    ),
    'question-upvoted': onQuestion(upvoted),
    'question-upvote-withdrawn': onQuestion(unvoted),
    'question-queued': onQuestion((question, qa, { actor }) =>
      question.state !== 'approved'
        ? 'it is not approved'
        : question.queued !== null
          ? 'already up next'
          : [putQuestion({ ...question, queued: qa.queue + 1, actor }), putQa({ ...qa, queue: qa.queue + 1 })],
    ),
    'question-unqueued': onQuestion((question, _, { actor }) =>
      question.queued === null ? 'it is not up next' : [putQuestion({ ...question, queued: null, actor })],
    ),
    'question-taken': onQuestion(taken),
    'question-released': onQuestion((question, qa, { actor }) =>
      question.state === 'taken' ? move(question, qa, { state: 'approved', actor }) : 'it is not on stage',
    ),
    'question-answered': onQuestion((question, qa, { actor, data }) =>
      question.state === 'taken' || question.state === 'approved'
        ? move(question, qa, { state: 'answered', actor, answer: typeof data.answer === 'string' ? data.answer : null })
        : question.state === 'answered'
          ? 'already answered'
          : 'it is not approved',
    ),
    'question-reopened': onQuestion((question, qa, { actor }) =>
      question.state === 'answered'
        ? move(question, qa, { state: 'approved', actor, answer: null })
        : 'it is not answered',
    ),
    'attendee-erased': erased,
  },
  documents: questionViews(qas, questions, votes),
};
