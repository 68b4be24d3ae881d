import { useEffect, useState } from 'preact/hooks';
import type { DiscussionDocument, MessageDocument, MyMessageDocument } from '../../conference/discussions/documents.js';
import { clock } from '../../conference/view.js';
import { load } from '../shared/browser/local-store.js';
import { call } from '../shared/http.js';
import type { Outbox } from '../shared/outbox.js';
import { bodiesOf, bodyOf, useChannel } from '../shared/use-feed.js';
import { shownName, shownText } from './questions.js';
import type { SessionContext } from './session-page.js';

/** As the service bounds it (`messageText`). */
const MAX_CHARACTERS = 1_000;

interface DiscussionProps extends SessionContext {
  readonly outbox: Outbox;
}

export function Discussion(props: DiscussionProps) {
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
      {about.open ? <Say {...props} /> : <p class="faint">{texts.discussionClosed}</p>}
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
  const { client, identity, texts, acts, timeZone, language } = context;
  const [draft, setDraft] = useState<string | null>(null);
  const mine = bodyOf<MyMessageDocument>(client, `me/${identity.actor}`, `message/${message.id}`);
  const save = async (event: Event) => {
    event.preventDefault();
    if (await acts.run({ type: 'edit-message', data: { message: message.id, text: draft } }, { done: texts.edited }))
      setDraft(null);
  };
  return (
    <li class="card">
      <p class="small faint">
        <span dir="auto">{shownName(message, texts)}</span> ·{' '}
        <span class="tabular">{clock(Date.parse(message.postedAt), timeZone, language)}</span>
        {message.edited && ` · ${texts.edited}`}
        {message.question && ` · ${texts.nowAQuestion}`}
      </p>
      {draft === null ? (
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
              value={draft}
              dir="auto"
              onInput={(event) => setDraft(event.currentTarget.value)}
            />
          </label>
          <p class="row">
            <button type="submit" class="main">
              {texts.save}
            </button>
            <button type="button" onClick={() => setDraft(null)}>
              {texts.cancel}
            </button>
          </p>
        </form>
      )}
      {mine?.state === 'shown' && open && draft === null && (
        <p class="row">
          <button type="button" class="quiet" onClick={() => setDraft(message.text)}>
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

function Say({ outbox, session, texts }: DiscussionProps) {
  const [text, setText] = useState('');
  const send = (event: Event) => {
    event.preventDefault();
    if (text.trim() === '') return;
    outbox.add('post-message', { session: session.id, text, name: load('name')?.trim() || null });
    setText('');
  };
  return (
    <form onSubmit={send} data-testid="say">
      <label>
        {texts.say}
        <textarea
          required
          rows={2}
          maxLength={MAX_CHARACTERS}
          value={text}
          dir="auto"
          onInput={(event) => setText(event.currentTarget.value)}
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
