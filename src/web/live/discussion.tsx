import { useEffect, useState } from 'preact/hooks';
import { cleanLine, cleanText, isVisible } from '#libs/protocol';
import type { DiscussionDocument, MessageDocument, MyMessageDocument } from '../../conference/discussions/documents.js';
import { when } from '../../conference/times.js';
import { load } from '../shared/browser/local-store.js';
import { call } from '../shared/http.js';
import { useDraft } from '../shared/outbox/drafts.js';
import { bodiesOf, bodyOf, useChannel } from '../shared/use-feed.js';
import { useSessionDraft } from './acting.js';
import { shownName, shownText } from './questions.js';
import type { SessionContext } from './session-page.js';
import { TextField } from './text-field.js';

/** As the service bounds it (`messageText`). */
const MAX_CHARACTERS = 1_000;

export function Discussion(props: SessionContext) {
  const { client, session, texts } = props;
  const channel = `session/${session.id}/discussion`;
  useChannel(client, channel);
  const about = bodyOf<DiscussionDocument>(client, channel, 'discussion/state');
  const current = bodiesOf<MessageDocument>(client, channel, 'message');
  const older = useOlder(props, channel);
  if (!about) return null;
  const shown = new Set(current.map(({ id }) => id));
  const messages = [...older.messages.filter(({ id }) => !shown.has(id)), ...current].sort((a, b) =>
    a.postedAt < b.postedAt ? -1 : 1,
  );
  return (
    <section aria-labelledby="discussion" data-testid="discussion">
      <h2 id="discussion">{texts.discussion}</h2>
      <p dir="auto">{about.topic}</p>
      {messages.length < about.count && (
        <p>
          <button type="button" disabled={older.loading} onClick={() => void older.load(shown)}>
            {older.loading ? texts.loading : texts.older}
          </button>
        </p>
      )}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: who has no mouse scrolls it by keys */}
      <div class="messages" role="log" aria-labelledby="discussion" tabIndex={0}>
        <ol>
          {messages.map((message) => (
            <Message key={message.id} message={message} open={about.open} {...props} />
          ))}
        </ol>
      </div>
      <Say {...props} open={about.open} />
    </section>
  );
}

interface Older {
  readonly messages: readonly MessageDocument[];
  readonly loading: boolean;
  /** @param shown ids that are on the page already: pages are read until something else comes */
  load(shown: ReadonlySet<string>): Promise<void>;
}

interface OlderPage {
  readonly documents: readonly { readonly body: MessageDocument }[];
  /** null: there is nothing older. */
  readonly before: number | null;
}

function useOlder({ conference, identity, acts, texts }: SessionContext, channel: string): Older {
  const [messages, setMessages] = useState<readonly MessageDocument[]>([]);
  const [before, setBefore] = useState<number | null>();
  const [loading, setLoading] = useState(false);
  useEffect(() => {
    setMessages([]);
    setBefore(undefined);
  }, [channel]);
  const load = async (shown: ReadonlySet<string>) => {
    setLoading(true);
    try {
      for (let next = before; next !== null; ) {
        const query = next === undefined ? '' : `?before=${next}`;
        const route = `/v1/conferences/${encodeURIComponent(conference)}/older/${channel}${query}`;
        const page = await call<OlderPage>(route, { token: identity.token });
        const fresh = page.documents.map(({ body }) => body).filter(({ id }) => !shown.has(id));
        setMessages((all) => [...all, ...fresh]);
        setBefore(page.before);
        next = page.before;
        if (fresh.length > 0) break;
      }
    } catch (error) {
      acts.say(texts.failed(error instanceof Error ? error.message : String(error)), true);
    }
    setLoading(false);
  };
  return { messages, loading, load };
}

interface MessageProps extends SessionContext {
  readonly message: MessageDocument;
  readonly open: boolean;
}

function Message({ message, open, ...context }: MessageProps) {
  const { client, identity, texts, acts, timeZone, language, now } = context;
  const draft = useDraft(`${context.conference}.${identity.actor}.${message.id}.edit-message`);
  const [editing, setEditing] = useState(draft.text !== '');
  const end = () => {
    draft.discard();
    setEditing(false);
  };
  const mine = bodyOf<MyMessageDocument>(client, `me/${identity.actor}`, `message/${message.id}`);
  const edit = () => {
    draft.set(message.text);
    setEditing(true);
  };
  const save = async (event: Event) => {
    event.preventDefault();
    const act = { type: 'edit-message', data: { message: message.id, text: draft.text } };
    if (await acts.run(act, { done: texts.edited })) end();
  };
  return (
    <li class="card">
      <p class="small faint">
        <span dir="auto">{shownName(message, texts)}</span> ·{' '}
        <span class="tabular">{when(Date.parse(message.postedAt), now, timeZone, language)}</span>
        {message.edited && ` · ${texts.edited}`}
        {message.question && ` · ${texts.nowAQuestion}`}
      </p>
      {!editing ? (
        <p class="pre" dir="auto">
          {shownText(message, texts)}
        </p>
      ) : (
        <form onSubmit={(event) => void save(event)}>
          <label>
            {texts.say}
            <textarea
              required
              maxLength={MAX_CHARACTERS}
              value={draft.text}
              dir="auto"
              onInput={(event) => draft.set(event.currentTarget.value)}
            />
          </label>
          <p class="row">
            <button type="submit" class="main">
              {texts.save}
            </button>
            <button type="button" onClick={end}>
              {texts.cancel}
            </button>
          </p>
        </form>
      )}
      {mine?.state === 'shown' && open && !editing && (
        <p class="row">
          <button type="button" class="quiet" onClick={edit}>
            {texts.edit}
          </button>
          <button
            type="button"
            class="quiet"
            onClick={() =>
              void acts.run({ type: 'withdraw-message', data: { message: message.id } }, { done: texts.withdrawn })
            }
          >
            {texts.withdraw}
          </button>
        </p>
      )}
    </li>
  );
}

function Say({ open, ...context }: SessionContext & { readonly open: boolean }) {
  const { session, texts } = context;
  const draft = useSessionDraft(context, 'post-message', session.id);
  const closed = <p class="faint">{texts.discussionClosed}</p>;
  if (!open && draft.text === '') return closed;
  const send = (event: Event) => {
    event.preventDefault();
    const name = cleanLine(load('name') ?? '');
    if (open) draft.send({ session: session.id, name: isVisible(name) ? name : null }, cleanText);
  };
  return (
    <form onSubmit={send} data-testid="say">
      {!open && closed}
      <TextField
        id="say"
        label={texts.say}
        rows={2}
        maxCharacters={MAX_CHARACTERS}
        hint={open ? '' : texts.draftKept}
        {...{ draft, texts }}
      />
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
