/** The outbox of a page: tries again when the feed is live again, and says what became of each item. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { FeedClient } from '#libs/feed-client';
import { type Act, type Acts, troubleOf } from './notices.js';
import { createOutbox, type Outbox } from './outbox.js';
import type { Texts } from './texts.js';

export interface OutboxUse {
  readonly client: FeedClient;
  readonly acts: Acts;
  readonly texts: Texts;
  /** Of what is kept in this browser: a conference and whoever writes in it. */
  readonly name: string;
  readonly sent: string;
  /** What takes it back. @param subject id of what it made */
  readonly undo: (type: string, subject: string) => Act | undefined;
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
        name: `outbox.${name}`,
        send: ({ id, type, data }) => client.command(type, data, { id, withinMs: ATTEMPT_MS }),
        onAnswer: ({ type }, ack) => {
          const { acts, texts, sent, undo } = current.current;
          const trouble = troubleOf(ack, texts);
          const subject = 'subject' in ack ? ack.subject : undefined;
          if (trouble) acts.say(trouble, true);
          else acts.say(sent, false, subject ? undo(type, subject) : undefined);
        },
        onChange: () => redraw((count) => count + 1),
      }),
    [client, name],
  );
  const { state } = client.status();
  useEffect(() => {
    if (state === 'live') void outbox.flush();
  }, [state, outbox]);
  return outbox;
}
