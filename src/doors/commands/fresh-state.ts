/**
 * A person sees what happened and gives the next command; a program sends its events one after the other and waits for nobody. So what
 * is said about the later one must not rest on state from before the earlier one: while the projection is slow, `session-ended` would be
 * refused because the session has not started.
 */
import type { ConferenceFeed } from '#libs/feed';
import { type CommandAck, Refusal } from '#libs/protocol';

const SETTLE_MS = 5_000;

export interface FreshState {
  /**
   * @param decide decides and appends; asked a second time only if its first answer appended nothing
   * @param sentBefore when the event had surely been sent (`performance.now()`)
   * @throws Refusal of `decide`; behind, if the state that it needs does not come within 5 s
   */
  decide(feed: ConferenceFeed, sentBefore: number, decide: () => Promise<CommandAck>): Promise<CommandAck>;
}

export function createFreshState(): FreshState {
  /** Conference → what producers last appended through here, where the replica was not seen to have it. */
  const ahead = new Map<string, { readonly epoch: string; readonly position: number }>();

  /** Waiting for what is there already would let every refused event of a thousand cost a second. */
  function isFresh(feed: ConferenceFeed, sentBefore: number): boolean {
    const known = ahead.get(feed.conference);
    // S15: a position of before a restore may never come again.
    if (known && known.epoch === feed.epoch && feed.head < known.position) return false;
    ahead.delete(feed.conference);
    return feed.age() < performance.now() - sentBefore;
  }

  return {
    async decide(feed, sentBefore, decide) {
      const first = await decide().catch((error: unknown) => {
        if (error instanceof Refusal) return error;
        throw error;
      });
      if (saysNo(first) && !isFresh(feed, sentBefore)) {
        if (!(await feed.settled(SETTLE_MS))) throw new Refusal('behind', undefined, 1_000);
        return decide();
      }
      if (first instanceof Refusal) throw first;
      if ('outcome' in first && first.outcome === 'pending' && first.position !== null)
        ahead.set(feed.conference, { epoch: feed.epoch, position: first.position });
      return first;
    },
  };
}

/** In words that depend on the state: refused, held, or nothing left to do. */
const saysNo = (answer: CommandAck | Refusal): boolean =>
  answer instanceof Refusal
    ? answer.code >= 200 || answer.refusal === 'held'
    : 'outcome' in answer && answer.position === null;
