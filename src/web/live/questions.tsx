import { useState } from 'preact/hooks';
import type { MyQuestionsDocument, QaDocument, QuestionDocument } from '../../conference/questions/documents.js';
import type { Texts } from '../shared/texts.js';
import { bodyOf } from '../shared/use-feed.js';
import { pressVote } from './acting.js';
import type { SessionContext } from './session-page.js';
import { type Answered, isVote } from './votes.js';

/** Characters of a question that stand beside a vote that waits. */
const MAX_LABEL = 120;
const ERASED = '[erased]';

export const shownText = ({ text }: { readonly text: string }, texts: Texts): string =>
  text === ERASED ? texts.erased : text;

export const shownName = ({ name }: { readonly name: string | null }, texts: Texts): string =>
  name === ERASED ? texts.erased : (name ?? texts.anonymous);

const mineOf = ({ client, identity, session }: SessionContext): MyQuestionsDocument | undefined =>
  bodyOf<MyQuestionsDocument>(client, `me/${identity.actor}`, `session/${session.id}`);

/** One's own, with what became of them and why. */
export function MyQuestions(context: SessionContext) {
  const { texts, acts } = context;
  const mine = mineOf(context)?.questions ?? [];
  if (mine.length === 0) return null;
  return (
    <section aria-labelledby="mine" data-testid="mine">
      <h2 id="mine">{texts.mine}</h2>
      <ul>
        {mine.map((question) => (
          <li class="card" key={question.id}>
            <p dir="auto">{shownText(question, texts)}</p>
            <p class="row">
              <span class="badge" data-state={question.state}>
                {texts.state[question.state]}
              </span>
              {question.because && <span dir="auto">{texts.reason[question.because] ?? question.because}</span>}
              {question.state === 'approved' && <span>{texts.voteFor(question.votes)}</span>}
              {(question.state === 'pending' || question.state === 'approved') && (
                <button
                  type="button"
                  class="quiet"
                  onClick={() =>
                    void acts.run(
                      { type: 'withdraw-question', data: { question: question.id } },
                      { done: texts.withdrawn },
                    )
                  }
                >
                  {texts.withdraw}
                </button>
              )}
            </p>
          </li>
        ))}
      </ul>
    </section>
  );
}

type Order = 'votes' | 'time';

const compare: Readonly<Record<Order, (a: QuestionDocument, b: QuestionDocument) => number>> = {
  votes: (a, b) =>
    (a.queued ?? Number.POSITIVE_INFINITY) - (b.queued ?? Number.POSITIVE_INFINITY) ||
    b.votes - a.votes ||
    (a.askedAt < b.askedAt ? -1 : 1),
  time: (a, b) => (a.askedAt < b.askedAt ? 1 : -1),
};

interface QuestionsProps extends SessionContext {
  readonly qa: QaDocument | undefined;
  readonly questions: readonly QuestionDocument[];
}

export function Questions({ qa, questions, ...context }: QuestionsProps) {
  const { texts } = context;
  const [order, setOrder] = useState<Order>('votes');
  const mine = mineOf(context);
  const voted = new Set(mine?.votes ?? []);
  const own = new Set(mine?.questions.map(({ id }) => id) ?? []);
  const open = questions.filter(({ state }) => state === 'approved').sort(compare[order]);
  const answered = questions.filter(({ state }) => state === 'answered').sort(compare.time);
  if (!qa) return null;
  return (
    <section aria-labelledby="questions">
      <h2 id="questions">{texts.topQuestions}</h2>
      <fieldset class="row" style={{ border: 0, padding: 0, margin: 0 }}>
        <legend class="visually-hidden">{texts.order}</legend>
        {(['votes', 'time'] as const).map((one) => (
          <button type="button" key={one} aria-pressed={order === one} onClick={() => setOrder(one)}>
            {one === 'votes' ? texts.byVotes : texts.byTime}
          </button>
        ))}
      </fieldset>
      {open.length === 0 && <p class="faint">{texts.noQuestions}</p>}
      <ol data-testid="questions">
        {open.map((question) => (
          <Question
            key={question.id}
            question={question}
            voted={voted.has(question.id)}
            own={own.has(question.id)}
            frozen={qa.frozen}
            {...context}
          />
        ))}
      </ol>
      {answered.length > 0 && (
        <ul>
          {answered.map((question) => (
            <li class="card" key={question.id}>
              <p dir="auto">{shownText(question, texts)}</p>
              <p class="small faint">{texts.state.answered}</p>
              {question.answer && <p dir="auto">{question.answer}</p>}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

interface QuestionProps extends SessionContext {
  readonly question: QuestionDocument;
  readonly voted: boolean;
  /** Of the one who looks: nobody votes for their own. */
  readonly own: boolean;
  readonly frozen: boolean;
}

function Question({ question, voted, own, frozen, ...context }: QuestionProps) {
  const { texts, acts, outbox, heldVotes, client, identity, session } = context;
  const copy = {
    voted,
    votes: question.votes,
    showsMine: (at: Answered) => client.shows(at.position, at.epoch, `me/${identity.actor}`),
    showsQuestions: (at: Answered) => client.shows(at.position, at.epoch, `session/${session.id}/questions`),
  };
  const waiting = outbox.items.filter((item) => isVote(item) && !outbox.isOld(item));
  const { pressed, votes } = heldVotes.view(question.id, copy, waiting, performance.now());
  const press = () => {
    if (!pressVote(outbox, question.id, pressed, question.text.slice(0, MAX_LABEL))) acts.say(texts.outboxFull, true);
  };
  return (
    <li class="card question">
      <button
        type="button"
        class="vote tabular"
        aria-pressed={pressed}
        disabled={frozen || own}
        aria-label={`${own ? texts.ownQuestion : texts.vote}: ${texts.voteFor(votes)}`}
        onClick={press}
      >
        {own ? '•' : '▲'}
        <br />
        {votes}
      </button>
      <div>
        <p dir="auto">{shownText(question, texts)}</p>
        <p class="small faint" dir="auto">
          {shownName(question, texts)} {question.queued !== null && <span class="badge">{texts.upNext}</span>}
        </p>
      </div>
    </li>
  );
}
