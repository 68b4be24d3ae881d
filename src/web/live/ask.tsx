import { useState } from 'preact/hooks';
import type { QaDocument } from '../../conference/questions/documents.js';
import { load, save } from '../shared/browser/local-store.js';
import type { Outbox } from '../shared/outbox.js';
import type { SessionContext } from './session-page.js';

/** As the service bounds it (`questionText`). */
const MAX_CHARACTERS = 500;
const NAME = 'name';

interface AskProps extends SessionContext {
  readonly qa: QaDocument | undefined;
  readonly outbox: Outbox;
}

export function Ask({ qa, outbox, session, texts }: AskProps) {
  const [text, setText] = useState('');
  const [name, setName] = useState(load(NAME) ?? '');
  if (!qa?.open) return <p class="faint">{qa ? texts.closed : texts.notOpen}</p>;
  const send = (event: Event) => {
    event.preventDefault();
    if (text.trim() === '') return;
    save(NAME, name);
    outbox.add('ask-question', { session: session.id, text, name: name.trim() || null });
    setText('');
  };
  return (
    <form onSubmit={send} data-testid="ask">
      <h2>{texts.ask}</h2>
      <label>
        {texts.yourQuestion}
        <textarea
          required
          rows={3}
          maxLength={MAX_CHARACTERS}
          value={text}
          dir="auto"
          aria-describedby="ask-hint"
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <p class="field__hint" id="ask-hint">
        {qa.mode === 'open' ? texts.sendHintOpen : texts.sendHint}{' '}
        {text.length > MAX_CHARACTERS - 100 && texts.characters(MAX_CHARACTERS - text.length)}
      </p>
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
        <button type="submit" class="main">
          {texts.send}
        </button>
      </p>
    </form>
  );
}
