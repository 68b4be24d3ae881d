import { useEffect, useMemo, useState } from 'preact/hooks';
import { createFeedClient, type FeedClient, type FeedClientOptions } from '#libs/feed-client';

/** A client for as long as the page lives; the page is drawn again when something changed, and each second for its clock. */
export function useFeed(options: FeedClientOptions): FeedClient {
  const client = useMemo(() => createFeedClient(options), [options]);
  const [, redraw] = useState(0);
  useEffect(() => {
    let asked = false;
    const draw = () => {
      if (asked) return;
      asked = true;
      // Several frames of one tick are one drawing.
      queueMicrotask(() => {
        asked = false;
        redraw((count) => count + 1);
      });
    };
    const forget = client.onChange(draw);
    const second = setInterval(draw, 1_000);
    return () => {
      forget();
      clearInterval(second);
      client.close();
    };
  }, [client]);
  return client;
}

/** Bodies of all documents of a kind. */
export function bodiesOf<T>(client: FeedClient, channel: string, kind: string): T[] {
  return [...client.documents(channel)].flatMap(([key, { body }]) => (key.startsWith(`${kind}/`) ? [body as T] : []));
}
