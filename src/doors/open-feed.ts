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
