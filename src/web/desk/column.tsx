/** A column of questions that does not move under the pointer or the focus. */
import { memo } from 'preact/compat';
import { useRef, useState } from 'preact/hooks';
import { type DeskQuestionDocument, DISMISSAL_REASONS } from '../../conference/questions/documents.js';
import { type Placed, stableOrder } from '../shared/stable-order.js';
import type { Texts } from '../shared/texts.js';
import { type ActName, possible } from './question-acts.js';
import type { DeskTexts } from './texts.js';

/** From here on what is out of sight is not laid out. */
const LONG = 50;

export type OnAct = (name: ActName, question: DeskQuestionDocument, reason?: string) => void;

interface ColumnProps {
  readonly name: string;
  readonly title: string;
  readonly questions: readonly DeskQuestionDocument[];
  readonly texts: Texts & DeskTexts;
  readonly isPending: (question: string) => boolean;
  readonly onAct: OnAct;
}

export function Column({ name, title, questions, texts, isPending, onAct }: ColumnProps) {
  const [pointer, setPointer] = useState(false);
  const [focus, setFocus] = useState(false);
  const placed = useRef<readonly Placed[]>([]);
  const last = useRef(new Map<string, DeskQuestionDocument>());
  placed.current = stableOrder(
    placed.current,
    questions.map(({ id }) => id),
    pointer || focus,
  );
  for (const question of questions) last.current.set(question.id, question);
  const heading = `column-${name}`;
  return (
    <section
      aria-labelledby={heading}
      data-testid={name}
      onPointerEnter={() => setPointer(true)}
      onPointerLeave={() => setPointer(false)}
      onFocusIn={() => setFocus(true)}
      onFocusOut={(event) => setFocus(event.currentTarget.contains(event.relatedTarget as Node | null))}
    >
      <h2 id={heading}>
        {title} <span class="badge tabular">{questions.length}</span>
      </h2>
      {questions.length === 0 && <p class="faint">{texts.none}</p>}
      <ol class={`column ${placed.current.length > LONG ? 'column--long' : ''}`}>
        {placed.current.map(({ id, gone }) => {
          const question = last.current.get(id);
          return question ? (
            <Card key={id} question={question} gone={gone} pending={isPending(id)} texts={texts} onAct={onAct} />
          ) : null;
        })}
      </ol>
    </section>
  );
}

interface CardProps {
  readonly question: DeskQuestionDocument;
  readonly gone: boolean;
  readonly pending: boolean;
  readonly texts: Texts & DeskTexts;
  readonly onAct: OnAct;
}

/** With a thousand of them only the ones that changed are drawn again. */
const Card = memo(QuestionCard, (a, b) => a.question === b.question && a.gone === b.gone && a.pending === b.pending);

function QuestionCard({ question, gone, pending, texts, onAct }: CardProps) {
  const [dismissing, setDismissing] = useState(false);
  const label: Readonly<Record<ActName, string>> = {
    approve: texts.approve,
    dismiss: texts.dismiss,
    take: texts.take,
    release: texts.release,
    answer: texts.answered,
    reopen: texts.reopen,
    queue: texts.queue,
    unqueue: texts.unqueue,
    restore: texts.restore,
  };
  const erased = question.text === '[erased]';
  return (
    <li
      class={`card question-card ${gone ? 'card--gone' : ''} ${question.state === 'taken' ? 'card--strong' : ''}`}
      data-question={question.id}
      aria-busy={pending}
      // j and k bring the focus here.
      tabIndex={-1}
    >
      <p dir="auto">{erased ? texts.erased : question.text}</p>
      <p class="small faint" dir="auto">
        {question.name ?? texts.anonymous} · <span class="tabular">{texts.votes(question.votes)}</span>
        {question.edited && ` · ${texts.amended}`}
        {question.because && ` · ${texts.reason[question.because as keyof DeskTexts['reason']] ?? question.because}`}
        {gone && <span class="badge">{texts.gone}</span>}
      </p>
      {!gone && (
        <p class="row">
          {possible(question).map((name, index) => (
            <button
              type="button"
              key={name}
              class={index === 0 ? 'main' : ''}
              disabled={pending}
              aria-expanded={name === 'dismiss' ? dismissing : undefined}
              onClick={() => (name === 'dismiss' ? setDismissing(!dismissing) : onAct(name, question))}
            >
              {label[name]}
            </button>
          ))}
        </p>
      )}
      {!gone && dismissing && (
        <Reasons
          texts={texts}
          onReason={(reason) => {
            setDismissing(false);
            onAct('dismiss', question, reason);
          }}
        />
      )}
    </li>
  );
}

function Reasons({ texts, onReason }: { readonly texts: DeskTexts; readonly onReason: (reason: string) => void }) {
  const [other, setOther] = useState('');
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (other.trim()) onReason(other);
      }}
    >
      <p class="small">{texts.dismissWhy}</p>
      <p class="row">
        {DISMISSAL_REASONS.map((reason) => (
          <button type="button" key={reason} onClick={() => onReason(reason)}>
            {texts.reason[reason]}
          </button>
        ))}
      </p>
      <div class="row">
        <label class="grow">
          {texts.otherReason}
          <input value={other} maxLength={200} dir="auto" onInput={(event) => setOther(event.currentTarget.value)} />
        </label>
        <button type="submit" disabled={!other.trim()}>
          {texts.dismiss}
        </button>
      </div>
    </form>
  );
}
