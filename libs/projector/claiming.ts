/** Which partitions this process may take: what is free, within its share. Claims take turns, so that no two of them take the last place. */
import type { EventLog } from '#libs/event-log';
import type { Logger, Queryable } from '#libs/postgres';
import { type Claim, claim, giveUp, LogMismatch } from './checkpoint.js';
import type { Membership } from './membership.js';
import type { Standing } from './standing.js';
import { verify } from './verify.js';

export interface ClaimingOptions {
  readonly db: Queryable;
  readonly log: EventLog;
  readonly owner: string;
  readonly logger: Logger;
  readonly membership: Membership;
  /** How many partitions this process has. */
  readonly owned: () => number;
  /** The generation has nothing more to be written. */
  readonly isRetired: () => Promise<boolean>;
}

export class Claiming {
  #turn: Promise<unknown> = Promise.resolve();
  /** Claimed, and not yet among those that are owned. */
  #underWay = 0;
  /** The log could not be read: until it can, this process takes no part. */
  #blind = false;

  constructor(private readonly options: ClaimingOptions) {}

  /**
   * @param hold makes it one of those that are owned
   * @returns false: it is another's, or beyond this process's share, or stands still until an operator acts
   */
  async take(partition: number, standing: Standing, hold: (claimed: Claim) => Promise<void>): Promise<boolean> {
    const { db, log, membership } = this.options;
    if (this.#blind) await log.watermarks(partition);
    this.#blind = false;
    // What is known to stand still is looked at beside the share: it must not keep the last place from one that can be read.
    const counts = standing.stopped === null ? 1 : 0;
    const claimed = await this.#claimInTurn(partition, counts);
    if (!claimed) {
      standing.forget();
      return false;
    }
    try {
      if (!(await this.#belongs(claimed, standing))) return false;
      if (membership.hasEnded) {
        await giveUp(db, claimed);
        return false;
      }
      await hold(claimed);
      return true;
    } finally {
      this.#underWay -= counts;
    }
  }

  async #claimInTurn(partition: number, counts: number): Promise<Claim | null> {
    const { db, owner, membership, owned, isRetired } = this.options;
    const run = this.#turn.then(async () => {
      const share = await membership.share();
      if ((counts > 0 && owned() + this.#underWay >= share) || (await isRetired())) return null;
      const claimed = await claim(db, partition, owner);
      if (claimed) this.#underWay += counts;
      return claimed;
    });
    this.#turn = run.catch(() => undefined); // Its caller hears of the failure; the next turn only waits for the end.
    return run;
  }

  /** Whatever speaks against it: others need not wait for the lease's end. */
  async #belongs(claimed: Claim, standing: Standing): Promise<boolean> {
    const { db, log, logger } = this.options;
    try {
      await verify(log, claimed);
      return true;
    } catch (error) {
      this.#blind = !(error instanceof LogMismatch);
      await giveUp(db, claimed);
      if (!(error instanceof LogMismatch)) throw error;
      if (standing.stop(error.message))
        logger.error({ partition: claimed.partition, next: String(claimed.next) }, error.message);
      return false;
    }
  }
}
