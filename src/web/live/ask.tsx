import { useState } from 'preact/hooks';
import { cleanLine, isVisible } from '#libs/protocol';
import type { QaDocument } from '../../conference/questions/documents.js';
import { load, save } from '../shared/browser/local-store.js';
import { useSessionDraft } from './acting.js';
import type { SessionContext } from './session-page.js';
import { TextField } from './text-field.js';

/** As the service bounds it (`questionText`). */
const MAX_CHARACTERS = 500;
const NAME = 'name';

interface AskProps extends SessionContext {
  readonly qa: QaDocument | undefined;
  /** The copy of the questions is complete: what is not in it does not exist. */
  readonly known: boolean;
}

export function Ask({ qa, known, ...context }: AskProps) {
  const { session, texts } = context;
  const draft = useSessionDraft(context, 'ask-question', session.id);
  const [name, setName] = useState(load(NAME) ?? '');
  const open = qa?.open ?? false;
  const closed = <p class="faint">{known ? (qa ? texts.closed : texts.notOpen) : texts.loading}</p>;
  if (!open && draft.text === '') return closed;
  const send = (event: Event) => {
    event.preventDefault();
    if (!open) return;
    save(NAME, name);
    const shown = cleanLine(name);
    draft.send({ session: session.id, name: isVisible(shown) ? shown : null }, cleanLine);
  };
  return (
    <form onSubmit={send} data-testid="ask">
      <h2>{texts.ask}</h2>
      {!open && closed}
      <TextField
        id="ask"
        label={texts.yourQuestion}
        rows={3}
        maxCharacters={MAX_CHARACTERS}
        hint={open ? (qa?.mode === 'open' ? texts.sendHintOpen : texts.sendHint) : texts.draftKept}
        {...{ draft, texts }}
      />
      <label>
        {texts.yourName} ({texts.optional})
        <input
          value={name}
          maxLength={60}
          autocomplete="nickname"
          dir="auto"
          onInput={(event) => setName(event.currentTarget.value)}
        />
      </label>
      <p class="row">
        <button type="submit" class="main" disabled={!open}>
          {texts.send}
        </button>
        {draft.text !== '' && (
          <button type="button" class="quiet" onClick={draft.discard}>
            {texts.discard}
          </button>
        )}
      </p>
    </form>
  );
}
