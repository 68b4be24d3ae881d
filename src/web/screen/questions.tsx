import type { QuestionDocument } from '../../conference/questions/documents.js';
import type { Texts } from '../shared/texts.js';

const ERASED = '[erased]';

interface QuestionProps {
  readonly question: QuestionDocument;
  readonly texts: Texts;
}

export function Taken({ question, texts }: QuestionProps) {
  return (
    <section class="taken arrives" aria-label={texts.questionNow} data-testid="taken" key={question.id}>
      <p class="label">{texts.questionNow}</p>
      <p class="taken__text clamp" style={{ '--lines': 5 }} dir="auto">
        {textOf(question, texts)}
      </p>
      <p class="now__speakers" dir="auto">
        {question.name === ERASED ? texts.erased : (question.name ?? texts.anonymous)}
      </p>
    </section>
  );
}

export function Questions({
  questions,
  texts,
}: {
  readonly questions: readonly QuestionDocument[];
  readonly texts: Texts;
}) {
  return (
    <section aria-label={texts.topQuestions} data-testid="top">
      <p class="label">{texts.topQuestions}</p>
      <ol>
        {questions.map((question) => (
          <li class="question" key={question.id}>
            <span class="question__votes">{question.votes}</span>
            <span class="clamp" style={{ '--lines': 2 }} dir="auto">
              {textOf(question, texts)}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}

const textOf = ({ text }: QuestionDocument, texts: Texts): string => (text === ERASED ? texts.erased : text);
