/** Documents of discussions, derived from rows: the room's, the desk's, each author's own, and what deciders must know. */

import type { JsonObject } from '#libs/event-log';
import { defineLimit } from '#libs/limits';
import { type DocumentRef, type DocumentView, type RowOf, tableOf, untyped } from '#libs/projector';
import type {
  DiscussionDocument,
  HiddenMessageDocument,
  MessageAuthorDocument,
  MessageDocument,
  MyMessageDocument,
} from './documents.js';
import { DiscussionMessageRow, DiscussionRow } from './entities.js';

export const discussions = tableOf(DiscussionRow);
export const messages = tableOf(DiscussionMessageRow);
export type Message = RowOf<DiscussionMessageRow>;
export type Discussion = RowOf<DiscussionRow>;

export const WINDOW = defineLimit({
  name: 'discussion.shown',
  value: 500,
  unit: 'documents',
  beyond: 'the oldest leaves the channel; older pages have it',
});
const OWN_WINDOW = defineLimit({
  name: 'discussion.own',
  value: 100,
  unit: 'documents',
  beyond: 'the oldest leaves the author’s channel',
});
/** What deciders know by name: moderators act on what is shown, authors on their last ones. */
const KNOWN_WINDOW = defineLimit({
  name: 'discussion.authors',
  value: 5_000,
  unit: 'documents',
  beyond: 'the oldest leaves the channel',
});

const json = <T extends object>(body: T): JsonObject => body as unknown as JsonObject;
const sessionIn = (channel: string): string => channel.split('/')[1] ?? '';
const keyOf = ({ id }: Message): string => `message/${id}`;

const publicOf = ({ id, text, name, postedAt, edited, question }: Message): MessageDocument => ({
  id,
  text,
  name,
  postedAt,
  edited,
  question,
});

const one = (
  refs: (message: Message) => readonly DocumentRef[],
  body: (message: Message) => object | null,
  window: number,
): DocumentView => ({
  kind: 'message',
  shows: [{ table: untyped(messages), refs: (row) => refs(row as unknown as Message) }],
  reads: ({ key }) => [{ table: untyped(messages), where: { id: key.slice('message/'.length) } }],
  render: ({ key }, rows) => {
    const message = rows.get(messages, { id: key.slice('message/'.length) });
    const shown = message ? body(message) : null;
    return shown ? json(shown) : null;
  },
  window,
});

export const discussionViews: readonly DocumentView[] = [
  one(
    (message) => [{ channel: `session/${message.session}/discussion`, key: keyOf(message) }],
    (message) => (message.state === 'shown' ? publicOf(message) : null),
    WINDOW,
  ),
  one(
    (message) =>
      message.state === 'hidden' ? [{ channel: `session/${message.session}/desk`, key: keyOf(message) }] : [],
    (message) =>
      message.state === 'hidden'
        ? ({
            ...publicOf(message),
            because: message.because ?? '',
            actor: message.actor ?? '',
          } satisfies HiddenMessageDocument)
        : null,
    WINDOW,
  ),
  one(
    (message) => [{ channel: `me/${message.author}`, key: keyOf(message) }],
    ({ session, text, state, because }) =>
      ({ session, text, state, because: state === 'hidden' ? because : null }) satisfies MyMessageDocument,
    OWN_WINDOW,
  ),
  one(
    (message) => [{ channel: '_authors', key: keyOf(message) }],
    ({ author, session, state, question }) => ({ author, session, state, question }) satisfies MessageAuthorDocument,
    KNOWN_WINDOW,
  ),
  {
    kind: 'discussion',
    shows: [
      {
        table: untyped(discussions),
        refs: (row) => [{ channel: `session/${String(row.session)}/discussion`, key: 'discussion/state' }],
      },
    ],
    reads: ({ channel }) => [{ table: untyped(discussions), where: { session: sessionIn(channel) } }],
    render: ({ channel }, rows) => {
      const discussion = rows.get(discussions, { session: sessionIn(channel) });
      if (!discussion) return null;
      const { open, topic, count } = discussion;
      return json({ open, topic, count } satisfies DiscussionDocument);
    },
  },
];
