import { useEffect, useMemo, useState } from 'preact/hooks';
import { createFeedClient, type FeedClient, type FeedClientOptions } from '#libs/feed-client';
import { ticketsOf } from './tickets.js';

/** Drawing more often would help nobody, and a hall that votes would keep a laptop busy with nothing else. */
const REDRAW_MS = 80;

/** A client for as long as the page lives; the page is drawn again when something changed, and each second for its clock. */
export function useFeed(options: FeedClientOptions): FeedClient {
  const client = useMemo(
    () => createFeedClient({ tickets: ticketsOf(options.conference, options.class), ...options }),
    [options],
  );
  const [, redraw] = useState(0);
  useEffect(() => {
    let asked: ReturnType<typeof setTimeout> | undefined;
    let last = 0;
    // After the frame that follows the drawing, in its own task: by then the browser has painted it.
    const painted = () => requestAnimationFrame(() => setTimeout(() => client.painted()));
    const draw = () => {
      asked = undefined;
      last = performance.now();
      redraw((count) => count + 1);
      painted();
    };
    // Several frames of one tick are one drawing; the first after a pause is drawn at once.
    const ask = () => (asked ??= setTimeout(draw, Math.max(0, REDRAW_MS - (performance.now() - last))));
    const forget = client.onChange(ask);
    const second = setInterval(ask, 1_000);
    return () => {
      forget();
      clearTimeout(asked);
      clearInterval(second);
      client.close();
    };
  }, [client]);
  return client;
}

/** Follows a channel while it is named. */
export function useChannel(client: FeedClient, channel: string | null): void {
  useEffect(() => {
    if (!channel) return;
    client.subscribe(channel);
    return () => client.unsubscribe(channel);
  }, [client, channel]);
}

/** Bodies of all documents of a kind. */
export function bodiesOf<T>(client: FeedClient, channel: string, kind: string): T[] {
  return [...client.documents(channel)].flatMap(([key, { body }]) => (key.startsWith(`${kind}/`) ? [body as T] : []));
}

export const bodyOf = <T>(client: FeedClient, channel: string, key: string): T | undefined =>
  client.documents(channel).get(key)?.body as T | undefined;

/** The server's time, milliseconds since 1970; null until it is known. */
export function serverNow(client: FeedClient): number | null {
  return client.status().serverNow;
}
