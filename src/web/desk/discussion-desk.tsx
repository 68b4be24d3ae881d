/** The discussion as moderators see it: what is shown, and what they hid. */
import { useState } from 'preact/hooks';
import type {
  DiscussionDocument,
  HiddenMessageDocument,
  MessageDocument,
} from '../../conference/discussions/documents.js';
import { DISMISSAL_REASONS } from '../../conference/questions/documents.js';
import { bodiesOf, bodyOf, useChannel } from '../shared/use-feed.js';
import type { SessionDeskContext } from './session-desk.js';

const SHOWN = 100;

export function DiscussionDesk(props: SessionDeskContext) {
  const { client, session, acts, texts } = props;
  const channel = `session/${session.id}/discussion`;
  useChannel(client, channel);
  const about = bodyOf<DiscussionDocument>(client, channel, 'discussion/state');
  const messages = bodiesOf<MessageDocument>(client, channel, 'message')
    .sort((a, b) => (a.postedAt < b.postedAt ? 1 : -1))
    .slice(0, SHOWN);
  const hidden = bodiesOf<HiddenMessageDocument>(client, `session/${session.id}/desk`, 'message');
  const one = { session: session.id };
  if (!about)
    return (
      <p class="row">
        <button type="button" onClick={() => void acts.run({ type: 'open-discussion', data: one })}>
          {texts.openDiscussion}
        </button>
      </p>
    );
  const [toggle, inverse] = about.open
    ? (['close-discussion', 'reopen-discussion'] as const)
    : (['reopen-discussion', 'close-discussion'] as const);
  return (
    <details data-testid="discussion-desk">
      <summary>
        {texts.discussion} <span class="tabular">({about.count})</span>
      </summary>
      <p dir="auto">{about.topic}</p>
      <p class="row">
        <button
          type="button"
          onClick={() =>
            void acts.run(
              { type: toggle, data: one },
              {
                done: about.open ? texts.closed : texts.opened,
                undo: { type: inverse, data: one },
              },
            )
          }
        >
          {about.open ? texts.closeDiscussion : texts.reopenDiscussion}
        </button>
      </p>
      <ol>
        {messages.map((message) => (
          <Message key={message.id} message={message} {...props} />
        ))}
      </ol>
      {hidden.length > 0 && <h3>{texts.hidden}</h3>}
      <ul>
        {hidden.map((message) => (
          <li class="card" key={message.id}>
            <p dir="auto">{message.text}</p>
            <p class="small faint">
              {texts.reason[message.because as keyof typeof texts.reason] ?? message.because} ·{' '}
              {texts.by(message.actor)}
            </p>
            <button
              type="button"
              onClick={() =>
                void acts.run({ type: 'restore-message', data: { message: message.id } }, { done: texts.restored })
              }
            >
              {texts.restore}
            </button>
          </li>
        ))}
      </ul>
    </details>
  );
}

function Message({ message, acts, texts }: SessionDeskContext & { readonly message: MessageDocument }) {
  const [hiding, setHiding] = useState(false);
  const one = { message: message.id };
  return (
    <li class="card">
      <p dir="auto">{message.text === '[erased]' ? texts.erased : message.text}</p>
      <p class="small faint" dir="auto">
        {message.name ?? texts.anonymous}
      </p>
      <p class="row">
        <button type="button" aria-expanded={hiding} onClick={() => setHiding(!hiding)}>
          {texts.hide}
        </button>
        {message.question === null && (
          <button
            type="button"
            onClick={() => void acts.run({ type: 'promote-message', data: one }, { done: texts.promoted })}
          >
            {texts.promote}
          </button>
        )}
      </p>
      {hiding && (
        <p class="row">
          {DISMISSAL_REASONS.map((reason) => (
            <button
              type="button"
              key={reason}
              onClick={() =>
                void acts.run(
                  { type: 'hide-message', data: { ...one, reason } },
                  { done: texts.hiddenNow, undo: { type: 'restore-message', data: one } },
                )
              }
            >
              {texts.reason[reason]}
            </button>
          ))}
        </p>
      )}
    </li>
  );
}
