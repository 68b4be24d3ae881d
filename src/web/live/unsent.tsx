/** What waits to be sent, until when and why. What is old is not sent without being asked: it may have been meant for a moment that is over. */

import { readDraft, useDraft } from '../shared/outbox/drafts.js';
import { waits } from '../shared/outbox/outbox.js';
import type { Waiting } from '../shared/outbox/stored-items.js';
import { pathTo } from '../shared/path.js';
import type { ActingContext } from './acting.js';

/** Shown longer than this without an answer: before, it is on its way. */
const SHOWN_AFTER_MS = 700;

export function Unsent(context: ActingContext) {
  const { outbox, texts } = context;
  const now = Date.now();
  const items = outbox.items.filter((item) => item.refusal || now - item.at > SHOWN_AFTER_MS || waits(item, now));
  if (items.length === 0) return null;
  return (
    <section class="card card--strong" aria-labelledby="unsent" data-testid="unsent">
      <h2 id="unsent">{texts.waitingToSend}</h2>
      <ul>
        {items.map((item) => (
          <Item key={item.id} item={item} {...context} />
        ))}
      </ul>
    </section>
  );
}

function Item({ item, ...context }: ActingContext & { readonly item: Waiting }) {
  const { outbox, texts } = context;
  const old = !item.refusal && outbox.isOld(item);
  return (
    <li>
      <p dir="auto">{item.data.text ?? `${texts.voteWaits}: ${item.label ?? ''}`}</p>
      <p class="small" data-testid="unsent-state">
        {stateOf(item, old, context)}
      </p>
      <p class="row">
        {old && (
          <button type="button" class="main" onClick={() => outbox.confirm(item.id)}>
            {texts.yesSend}
          </button>
        )}
        {item.refusal && <Edit item={item} {...context} />}
        <button type="button" onClick={() => outbox.drop(item.id)}>
          {texts.drop}
        </button>
      </p>
    </li>
  );
}

function stateOf(item: Waiting, old: boolean, { outbox, texts }: ActingContext): string {
  const now = Date.now();
  if (item.refusal)
    return item.refusal.code > 0 ? texts.notTaken(item.refusal.message, item.refusal.code) : texts.setAside;
  if (waits(item, now)) {
    const seconds = Math.ceil(((item.notBefore ?? now) - now) / 1_000);
    return item.limited ? texts.goesIn(seconds) : texts.triedIn(seconds);
  }
  if (old) return texts.stillSend;
  return outbox.sending === item.id ? texts.sending : texts.goesWhenBack;
}

/** On the page of its session a text goes back into the field, and what is in the field takes its place here; elsewhere a link leads there. */
function Edit({ item, ...context }: ActingContext & { readonly item: Waiting }) {
  const { conference, identity, outbox, texts, session: here } = context;
  const { session, text } = item.data;
  const name = `${conference}.${identity.actor}.${session}.${item.type}`;
  const draft = useDraft(name);
  if (!session || !text) return null;
  if (here?.id !== session) return <a href={pathTo(conference, 's', session)}>{texts.edit}</a>;
  const swap = () => {
    const current = readDraft(`draft.${name}`).text;
    outbox.drop(item.id);
    if (current.trim() !== '') outbox.setAside(item.type, { session, text: current });
    draft.set(text);
  };
  return (
    <button type="button" class="main" onClick={swap}>
      {texts.edit}
    </button>
  );
}
