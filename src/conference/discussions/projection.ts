import { ERASED, type LoggedEvent } from '#libs/event-log';
import { type EventHandler, type NoEffect, type Projection, type RowChange, untyped } from '#libs/projector';
import { type Discussion, discussions, discussionViews, type Message, messages } from './views.js';

const putDiscussion = (row: Discussion): RowChange => ({ table: untyped(discussions), put: row });
const putMessage = (row: Message): RowChange => ({ table: untyped(messages), put: row });
const sessionOf = ({ data }: LoggedEvent): string => String(data.session);

const onDiscussion = (
  change: (row: Discussion | undefined, event: LoggedEvent) => Discussion | string,
): EventHandler => ({
  reads: (event) => [{ table: untyped(discussions), where: { session: sessionOf(event) } }],
  fold: (event, rows) => {
    const changed = change(rows.get(discussions, { session: sessionOf(event) }), event);
    return typeof changed === 'string' ? { noEffect: changed } : [putDiscussion(changed)];
  },
});

/** Changes one message; the count of shown ones keeps in step. */
const onMessage = (
  change: (message: Message, event: LoggedEvent, discussion: Discussion) => Partial<Message> | string,
): EventHandler => ({
  reads: (event) => [
    { table: untyped(messages), where: { id: event.subject } },
    { table: untyped(discussions), where: { session: sessionOf(event) } },
  ],
  fold: (event, rows): readonly RowChange[] | NoEffect => {
    const message = rows.get(messages, { id: event.subject });
    const discussion = rows.get(discussions, { session: sessionOf(event) });
    if (!message || !discussion || message.session !== discussion.session)
      return { noEffect: 'there is no such message' };
    const changed = change(message, event, discussion);
    if (typeof changed === 'string') return { noEffect: changed };
    const after = { ...message, ...changed };
    const by = Number(after.state === 'shown') - Number(message.state === 'shown');
    return [putMessage(after), ...(by === 0 ? [] : [putDiscussion({ ...discussion, count: discussion.count + by })])];
  },
});

const posted: EventHandler = {
  reads: (event) => [
    { table: untyped(discussions), where: { session: sessionOf(event) } },
    { table: untyped(messages), where: { id: event.subject } },
  ],
  fold: (event, rows) => {
    const discussion = rows.get(discussions, { session: sessionOf(event) });
    if (!discussion?.open) return { noEffect: 'there is no open discussion here' };
    if (rows.get(messages, { id: event.subject })) return { noEffect: 'this message exists already' };
    const { text, name } = event.data;
    const message: Message = {
      id: event.subject,
      session: discussion.session,
      author: event.actor,
      text: String(text),
      name: typeof name === 'string' ? name : null,
      state: 'shown',
      because: null,
      actor: null,
      edited: false,
      question: null,
      postedAt: event.time,
      seq: discussion.posted + 1,
    };
    return [
      putMessage(message),
      putDiscussion({ ...discussion, count: discussion.count + 1, posted: discussion.posted + 1 }),
    ];
  },
};

const erased: EventHandler = {
  reads: ({ data }) => [{ table: untyped(messages), where: { author: String(data.subject) } }],
  fold: ({ data }, rows) =>
    rows
      .all(messages, { author: String(data.subject) })
      .map((message) => putMessage({ ...message, text: ERASED, name: message.name === null ? null : ERASED })),
};

const setOpen = (open: boolean): EventHandler =>
  onDiscussion((row) =>
    !row
      ? 'there is no discussion'
      : row.open === open
        ? open
          ? 'the discussion is open already'
          : 'it is closed already'
        : { ...row, open },
  );

export const projection: Projection = {
  name: 'discussions',
  tables: [untyped(discussions), untyped(messages)],
  on: {
    'discussion-opened': onDiscussion((row, { data, subject }) => ({
      ...(row ?? { session: subject, count: 0, posted: 0 }),
      open: true,
      topic: String(data.topic),
    })),
    'discussion-closed': setOpen(false),
    'discussion-reopened': setOpen(true),
    'message-posted': posted,
    'message-edited': onMessage((message, { actor, data }, discussion) => {
      if (message.author !== actor) return 'only its author can do that';
      if (message.state !== 'shown') return `it is ${message.state}`;
      return discussion.open ? { text: String(data.text), edited: true } : 'the discussion is closed';
    }),
    'message-withdrawn': onMessage((message, { actor }) =>
      message.author !== actor
        ? 'only its author can do that'
        : message.state === 'shown'
          ? { state: 'withdrawn' }
          : `it is ${message.state}`,
    ),
    'message-hidden': onMessage((message, { actor, data }) =>
      message.state === 'shown' ? { state: 'hidden', because: String(data.reason), actor } : `it is ${message.state}`,
    ),
    'message-restored': onMessage((message, { actor }) =>
      message.state === 'hidden'
        ? { state: 'shown', actor }
        : message.state === 'withdrawn'
          ? 'its author has withdrawn it'
          : 'it is not hidden',
    ),
    'message-promoted': onMessage((message, { id }) => {
      if (message.state !== 'shown') return `it is ${message.state}`;
      return message.question === null ? { question: id } : 'it is a question already';
    }),
    'attendee-erased': erased,
  },
  documents: discussionViews,
};
