import pg from 'pg';
import { type Logger, quoteIdentifier } from '#libs/postgres';

/** The channel of NOTIFY on which projectors say that they committed. */
export const FEED_CHANNEL = 'hallway_feed';
const RETRY_MS = 1_000;

/**
 * Calls `onWake` for every NOTIFY on the feed's channel, over a connection of its own (a pooled one loses LISTEN). Connects
 * again by itself; what is missed meanwhile is found by polling.
 * @returns ends it
 */
export function startAlarm(url: string, onWake: () => void, logger: Logger): () => Promise<void> {
  let closed = false;
  let client: pg.Client | undefined;
  let retry: NodeJS.Timeout | undefined;

  const lost = (failed: pg.Client, err?: unknown) => {
    if (closed || client !== failed) return;
    client = undefined;
    logger.warn({ err }, 'the alarm of the feed is lost; polling goes on');
    failed.end().catch(() => undefined); // it is broken already
    retry = setTimeout(connect, RETRY_MS);
  };
  const connect = () => {
    const next = new pg.Client({ connectionString: url, application_name: 'hallway feed alarm', keepAlive: true });
    client = next;
    next.on('error', (err) => lost(next, err));
    next.on('end', () => lost(next));
    next.on('notification', onWake);
    next
      .connect()
      .then(() => next.query(`listen ${quoteIdentifier(FEED_CHANNEL)}`))
      .catch((err: unknown) => lost(next, err));
  };

  connect();
  return async () => {
    closed = true;
    clearTimeout(retry);
    await client?.end().catch(() => undefined); // closing a broken connection is no news
  };
}
