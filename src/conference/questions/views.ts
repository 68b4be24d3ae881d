/** Documents of questions, derived from rows: the room's, the desk's, each person's own, and what deciders must know. */
import type { JsonObject } from '#libs/event-log';
import { type DocumentView, type RowOf, type RowTable, untyped } from '#libs/projector';
import type {
  AuthorDocument,
  DeskQuestionDocument,
  MyQuestionsDocument,
  QaDocument,
  QuestionDocument,
} from './documents.js';
import type { QaRow, QuestionRow, QuestionVoteRow } from './entities.js';

type Question = RowOf<QuestionRow>;
type Vote = RowOf<QuestionVoteRow>;

const PUBLIC: ReadonlySet<string> = new Set(['approved', 'taken', 'answered']);
const idIn = (key: string): string => key.slice(key.indexOf('/') + 1);
const sessionIn = (channel: string): string => channel.split('/')[1] ?? '';
const json = <T extends object>(body: T): JsonObject => body as unknown as JsonObject;

const publicOf = ({ id, text, name, votes, state, askedAt, answer, queued }: Question): QuestionDocument => ({
  id,
  text,
  name,
  votes,
  state,
  askedAt,
  answer,
  // A question that is taken, answered or dismissed keeps its place for when that is taken back.
  queued: state === 'approved' ? queued : null,
});

/** The reason of a dismissal is kept while the question is back, for when that is taken back in turn. */
const becauseOf = ({ state, because }: Question): string | null => (state === 'dismissed' ? because : null);

export function questionViews(
  qas: RowTable<RowOf<QaRow>>,
  questions: RowTable<Question>,
  votes: RowTable<Vote>,
): readonly DocumentView[] {
  const one = (
    render: (question: Question) => object | null,
    refs: (question: Question) => { channel: string; key: string }[],
    kind: string,
    columns?: readonly (keyof Question)[],
  ): DocumentView => ({
    kind,
    shows: [
      {
        table: untyped(questions),
        refs: (row) => refs(row as unknown as Question),
        ...(columns ? { columns } : {}),
      },
    ],
    reads: ({ key }) => [{ table: untyped(questions), where: { id: idIn(key) } }],
    render: ({ key }, rows) => {
      const question = rows.get(questions, { id: idIn(key) });
      const body = question ? render(question) : null;
      return body && json(body);
    },
  });
  return [
    one(
      (question) => (PUBLIC.has(question.state) ? publicOf(question) : null),
      ({ id, session, state }) =>
        PUBLIC.has(state) ? [{ channel: `session/${session}/questions`, key: `question/${id}` }] : [],
      'question',
    ),
    one(
      (question) => {
        const { actor, edited } = question;
        return { ...publicOf(question), because: becauseOf(question), actor, edited } satisfies DeskQuestionDocument;
      },
      ({ id, session }) => [{ channel: `session/${session}/desk`, key: `question/${id}` }],
      'question',
    ),
    one(
      ({ author, session, askedAt, state, reviewed }) =>
        ({ author, session, askedAt, state, reviewed: reviewed && state === 'approved' }) satisfies AuthorDocument,
      ({ id }) => [{ channel: '_authors', key: `question/${id}` }],
      'question',
      // A vote rewrites none of these.
      ['id', 'author', 'session', 'askedAt', 'state', 'reviewed'],
    ),
    qaView(qas),
    mineView(questions, votes),
  ];
}

const qaView = (qas: RowTable<RowOf<QaRow>>): DocumentView => ({
  kind: 'qa',
  shows: [
    {
      table: untyped(qas),
      refs: (row) => [{ channel: `session/${String(row.session)}/questions`, key: 'qa/state' }],
    },
  ],
  reads: ({ channel }) => [{ table: untyped(qas), where: { session: sessionIn(channel) } }],
  render: ({ channel }, rows) => {
    const qa = rows.get(qas, { session: sessionIn(channel) });
    if (!qa) return null;
    const { open, mode, frozen, taken, waiting, dismissed } = qa;
    return json({ open, mode, frozen, taken, waiting, dismissed } satisfies QaDocument);
  },
});

/** What one person asked and voted for in one session. */
const mineView = (questions: RowTable<Question>, votes: RowTable<Vote>): DocumentView => ({
  kind: 'session',
  shows: [
    {
      table: untyped(questions),
      refs: (row) => [{ channel: `me/${String(row.author)}`, key: `session/${String(row.session)}` }],
    },
    {
      table: untyped(votes),
      refs: (row) => [{ channel: `me/${String(row.voter)}`, key: `session/${String(row.session)}` }],
    },
  ],
  reads: ({ channel, key }) => [
    { table: untyped(questions), where: { author: channel.slice('me/'.length), session: idIn(key) } },
    { table: untyped(votes), where: { voter: channel.slice('me/'.length), session: idIn(key) } },
  ],
  render: ({ channel, key }, rows) => {
    const actor = channel.slice('me/'.length);
    const own = rows.all(questions, { author: actor, session: idIn(key) });
    const voted = rows.all(votes, { voter: actor, session: idIn(key) });
    if (own.length === 0 && voted.length === 0) return null;
    return json({
      questions: own.map((question) => ({
        id: question.id,
        text: question.text,
        state: question.state,
        because: becauseOf(question),
        votes: question.votes,
      })),
      votes: voted.map(({ question }) => question),
    } satisfies MyQuestionsDocument);
  },
});
