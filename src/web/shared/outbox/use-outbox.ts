/** The outbox of a page: sends again when the feed is live again, and says what became of each item. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { FeedClient } from '#libs/feed-client';
import type { CommandAck } from '#libs/protocol';
import type { Acts } from '../notices.js';
import type { Texts } from '../texts.js';
import { createOutbox, type Outbox } from './outbox.js';
import type { Waiting } from './stored-items.js';

export interface OutboxUse {
  readonly client: FeedClient;
  readonly acts: Acts;
  readonly texts: Texts;
  /** Of what is saved in this browser: a conference and who writes in it. */
  readonly name: string;
  readonly onAnswer: (item: Waiting, ack: CommandAck) => void;
}

/** After this long without an answer it is tried again when the feed says that it is live. */
const ATTEMPT_MS = 10_000;

export function useOutbox(use: OutboxUse): Outbox {
  const { client, name } = use;
  const [, redraw] = useState(0);
  const current = useRef(use);
  current.current = use;
  const outbox = useMemo(
    () =>
      createOutbox({
        name,
        send: ({ id, type, data }) => client.command(type, data, { id, withinMs: ATTEMPT_MS }),
        canSend: () => isConnected(client),
        onAnswer: (item, ack) => current.current.onAnswer(item, ack),
        onChange: () => redraw((count) => count + 1),
        // Not while it is being drawn for the first time.
        onDropped: (count) =>
          queueMicrotask(() => current.current.acts.say(current.current.texts.droppedItems(count), true)),
      }),
    [client, name],
  );
  useEffect(() => () => outbox.close(), [outbox]);
  const connected = isConnected(client);
  useEffect(() => {
    if (connected) void outbox.flush();
  }, [connected, outbox]);
  return outbox;
}

function isConnected(client: FeedClient): boolean {
  const { state } = client.status();
  return state === 'live' || state === 'late';
}
