import type { ConferenceFeed } from '#libs/feed';
import { type Cursor, Refusal } from '#libs/protocol';

/**
 * Waits until the state has what a command's `after` names: a position, or a cursor, which says in which epoch it was counted. A position of
 * another epoch means nothing here; what is asked for then is the state of after this moment.
 * @throws Refusal behind, if it does not come within `withinMs`
 */
export async function seen(feed: ConferenceFeed, after: number | Cursor, withinMs: number): Promise<void> {
  const [epoch, position] = typeof after === 'number' ? [feed.epoch, after] : after;
  const isSeen =
    epoch === feed.epoch
      ? await feed.reached(position, withinMs)
      : // The replica may be the one that is behind: its next reading tells.
        (await feed.settled(withinMs)) && (epoch !== feed.epoch || (await feed.reached(position, withinMs)));
  if (!isSeen) throw new Refusal('behind', undefined, 500);
}
