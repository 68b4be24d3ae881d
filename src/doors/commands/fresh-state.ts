/**
 * A person sees what happened and gives the next command; a program sends its events one after the other and waits for nobody. So each
 * of them is decided on a state that contains the ones before it: while the projection is slow, `session-ended` would be refused
 * because the session has not started, or taken for what is true already.
 */
import type { ConferenceFeed } from '#libs/feed';
import { type CommandAck, Refusal } from '#libs/protocol';

const SETTLE_MS = 5_000;

type ReadFeed = Pick<ConferenceFeed, 'conference' | 'epoch' | 'age' | 'reached' | 'settled'>;

export interface FreshState {
  /**
   * @param decide decides on the state of this moment and appends; asked a second time only if its first answer appended nothing
   * @param sentBefore when the event had surely been sent (`performance.now()`)
   * @throws Refusal of `decide`; behind, if the state that it needs does not come within 5 s
   */
  decide(feed: ReadFeed, sentBefore: number, decide: () => Promise<CommandAck>): Promise<CommandAck>;
}

/** What producers last appended through here, where the replica was not seen to have it. */
interface Appended {
  readonly epoch: string;
  readonly position: number;
}

export function createFreshState(): FreshState {
  const ahead = new Map<string, Appended>();

  async function waitForEarlier(feed: ReadFeed): Promise<void> {
    const appended = ahead.get(feed.conference);
    if (!appended) return;
    // In another epoch (a restore, other read models) the position means nothing: what is in the log by now is waited for.
    const isThere =
      appended.epoch === feed.epoch ? await feed.reached(appended.position, SETTLE_MS) : await feed.settled(SETTLE_MS);
    if (!isThere) throw new Refusal('behind', undefined, 1_000);
    if (ahead.get(feed.conference) === appended) ahead.delete(feed.conference);
  }

  function note(feed: ReadFeed, position: number): void {
    const known = ahead.get(feed.conference);
    const isNewer = known?.epoch !== feed.epoch || known.position < position;
    if (isNewer) ahead.set(feed.conference, { epoch: feed.epoch, position });
  }

  return {
    async decide(feed, sentBefore, decide) {
      await waitForEarlier(feed);
      // Asked before it decides: the replica goes on while an answer is looked up, and that answer does not.
      const isFresh = feed.age() < performance.now() - sentBefore;
      let answer = await refusalAsAnswer(decide());
      // Waiting always would let every refused event of a thousand cost a second.
      if (saysNo(answer) && !isFresh) {
        if (!(await feed.settled(SETTLE_MS))) throw new Refusal('behind', undefined, 1_000);
        answer = await refusalAsAnswer(decide());
      }
      if (answer instanceof Refusal) throw answer;
      if ('outcome' in answer && answer.outcome === 'pending' && answer.position !== null) note(feed, answer.position);
      return answer;
    },
  };
}

async function refusalAsAnswer(deciding: Promise<CommandAck>): Promise<CommandAck | Refusal> {
  try {
    return await deciding;
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

/** In words that depend on the state: refused, held, or nothing left to do. */
const saysNo = (answer: CommandAck | Refusal): boolean =>
  answer instanceof Refusal
    ? answer.code >= 200 || answer.refusal === 'held'
    : 'outcome' in answer && answer.position === null;
