import type { ConferenceFeed, Feed } from '#libs/feed';
import { Refusal } from '#libs/protocol';

/**
 * @param isNew it may have been made within the last second, elsewhere
 * @throws Refusal: unknown conference, or "try again" with the time to wait
 */
export async function openFeed(
  feed: Pick<Feed, 'open'>,
  conference: string,
  isNew = false,
): Promise<{ readonly feed: ConferenceFeed; release(): void }> {
  const opened = await feed.open(conference, isNew);
  if (opened === 'unknown') throw new Refusal('unknown-conference');
  if (opened === 'busy') throw new Refusal('loading', undefined, 2_000);
  if (opened === 'unavailable') throw new Refusal('behind', undefined, 2_000);
  return opened;
}
