/** A field for a text that is kept as a draft; it stays while the text cannot be sent, and says why the last try was refused. */
import type { Draft } from '../shared/outbox/drafts.js';
import type { LiveTexts } from './texts.js';

interface TextFieldProps {
  readonly draft: Draft;
  readonly label: string;
  readonly rows: number;
  readonly maxCharacters: number;
  readonly hint?: string;
  /** Of this page: the hint is bound to the field by it. */
  readonly id: string;
  readonly texts: LiveTexts;
}

const SAY_LEFT = 100;

export function TextField({ draft, label, rows, maxCharacters, hint, id, texts }: TextFieldProps) {
  const left = maxCharacters - draft.text.length;
  return (
    <>
      <label>
        {label}
        <textarea
          required
          rows={rows}
          maxLength={maxCharacters}
          value={draft.text}
          dir="auto"
          aria-describedby={`${id}-hint`}
          aria-invalid={draft.reason !== ''}
          onInput={(event) => draft.set(event.currentTarget.value)}
        />
      </label>
      {draft.reason && (
        <p class="notice--bad" role="alert" data-testid={`${id}-reason`}>
          {draft.reason === texts.nothingToSee ? draft.reason : texts.refusedText(draft.reason)}
        </p>
      )}
      <p class="field__hint" id={`${id}-hint`}>
        {hint} {left < SAY_LEFT && texts.characters(left)}
      </p>
    </>
  );
}
