/** What waits to be sent. What is old is not sent without being asked: it may have been meant for a moment that is over. */
import type { Outbox, Waiting } from '../shared/outbox.js';
import type { LiveTexts } from './texts.js';

export function Unsent({ outbox, texts }: { readonly outbox: Outbox; readonly texts: LiveTexts }) {
  if (outbox.items.length === 0) return null;
  return (
    <section class="card card--strong" aria-labelledby="unsent" data-testid="unsent">
      <h2 id="unsent">{texts.waitingToSend}</h2>
      <ul>
        {outbox.items.map((item) => (
          <li key={item.id}>
            <p dir="auto">{textOf(item)}</p>
            {outbox.isOld(item) && <p>{texts.stillSend}</p>}
            <p class="row">
              {outbox.isOld(item) && (
                <button type="button" class="main" onClick={() => outbox.confirm(item.id)}>
                  {texts.yesSend}
                </button>
              )}
              <button type="button" onClick={() => outbox.drop(item.id)}>
                {texts.drop}
              </button>
            </p>
          </li>
        ))}
      </ul>
    </section>
  );
}

const textOf = ({ data }: Waiting): string => (typeof data.text === 'string' ? data.text : '');
