import type { ConferenceFeed, Feed } from '#libs/feed';
import { openFeed } from '../open-feed.js';

/** There is nobody left to answer. */
export class ConnectionClosed extends Error {
  override readonly name = 'ConnectionClosed';
}

interface Closing {
  readonly readyState: string;
  once(event: 'close', listener: () => void): unknown;
}

/**
 * Holds the conference until the connection is closed, also if that happens while it is being loaded: engine.io emits `close` once, and
 * a listener that is added later would never be called.
 * @throws ConnectionClosed; as `openFeed`
 */
export async function openUntilClosed(
  from: Pick<Feed, 'open'>,
  conference: string,
  conn: Closing,
): Promise<ConferenceFeed> {
  let release: (() => void) | undefined;
  let closed = conn.readyState === 'closed';
  conn.once('close', () => {
    closed = true;
    release?.();
  });
  const opened = await openFeed(from, conference);
  if (closed) {
    opened.release();
    throw new ConnectionClosed();
  }
  release = opened.release;
  return opened.feed;
}
