import type { ConferenceFeed, Feed } from '#libs/feed';
import { Refusal } from '#libs/protocol';

/**
 * @param since (`performance.now()`) what happened before must be known; waits for it
 * @throws Refusal: unknown conference, or "try again" with the time to wait
 */
export async function openFeed(
  feed: Pick<Feed, 'open'>,
  conference: string,
  since?: number,
): Promise<{ readonly feed: ConferenceFeed; release(): void }> {
  const opened = await feed.open(conference, since);
  if (opened === 'unknown') throw new Refusal('unknown-conference');
  if (opened === 'busy') throw new Refusal('loading', undefined, 2_000);
  if (opened === 'unavailable') throw new Refusal('behind', undefined, 2_000);
  return opened;
}

/** Holds the conference for as long as `use` runs, whatever comes of it. @throws as `openFeed`, and what `use` throws */
export async function withFeed<T>(
  from: Pick<Feed, 'open'>,
  conference: string,
  use: (feed: ConferenceFeed) => T | Promise<T>,
): Promise<T> {
  const { feed, release } = await openFeed(from, conference);
  try {
    return await use(feed);
  } finally {
    release();
  }
}
