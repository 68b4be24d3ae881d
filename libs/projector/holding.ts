/** A claimed partition: its turns, and the heartbeat that keeps the lease and says how current the rows are (I1, I7). */
import type { EventLog } from '#libs/event-log';
import type { Logger, Queryable } from '#libs/postgres';
import { recorded } from '#libs/signals';
import { beat, type Claim, extend, giveUp } from './checkpoint.js';
import type { Committer } from './committer.js';
import type { Standing } from './standing.js';

export interface HoldingOptions {
  readonly db: Queryable;
  readonly log: EventLog;
  readonly logger: Logger;
  readonly claimed: Claim;
  readonly committer: Committer;
  readonly standing: Standing;
  /** `as_of` was written, or the claim was lost. */
  readonly onBeat: () => void;
}

interface Seen {
  readonly at: string;
  readonly end: bigint;
}

const BEAT_MS = 1_000;
/** A batch that shows no sign of life for so long does not keep its lease: another process may do better. */
export const SILENT_BATCH_MS = 5_000;

export class Holding {
  readonly claimed: Claim;
  readonly committer: Committer;
  fenced = false;
  /** Batches and heartbeats take turns. */
  #turn: Promise<unknown> = Promise.resolve();
  /** An instant and the log's end after it, while it is not folded to that end (I7). */
  #seen: Seen | undefined;
  #beating = false;
  /** Batches and heartbeats under way or waiting. */
  #busy = 0;
  readonly #timer = setInterval(() => this.beat(), BEAT_MS);

  constructor(private readonly options: HoldingOptions) {
    this.claimed = options.claimed;
    this.committer = options.committer;
    this.beat();
  }

  inTurn<T>(work: () => Promise<T>): Promise<T> {
    this.#busy += 1;
    const run = this.#turn.then(work, work).finally(() => {
      this.#busy -= 1;
    });
    this.#turn = run.catch(() => undefined); // Its caller hears of the failure; the next turn only waits for the end.
    return run;
  }

  end(): void {
    clearInterval(this.#timer);
    this.fenced = true;
  }

  /** For another to take, after the batch in hand. Never throws. */
  async giveUp(): Promise<void> {
    const { db, claimed, logger } = this.options;
    this.end();
    await this.inTurn(() => giveUp(db, claimed)).catch((err: unknown) =>
      logger.warn({ err, partition: claimed.partition }, 'the lease was not given up; it will run out'),
    );
  }

  beat(): void {
    if (this.fenced) return;
    const { logger, claimed } = this.options;
    this.#look().catch((err: unknown) =>
      logger.warn({ err, partition: claimed.partition }, 'the heartbeat of a partition failed'),
    );
  }

  /**
   * Reads the log's end first and outside of the turn: how much waits must be known while a batch hangs. A batch that takes longer than the
   * lease, and goes on, must not lose it: the next owner would need as long, and lose it likewise.
   */
  async #look(): Promise<void> {
    const { db, log, claimed, standing, committer } = this.options;
    if (this.#busy > 0 && performance.now() - committer.aliveAt < SILENT_BATCH_MS) await extend(db, claimed);
    // The order proves it: whatever was appended before this instant is below the end that is read after it.
    const { rows } = await db.query<{ now: string }>('select clock_timestamp()::text as now');
    const { high } = await log.watermarks(claimed.partition);
    // What was another's meanwhile is not ours to speak of.
    if (this.fenced) return;
    standing.saw(high);
    // One at a time waits behind a batch that hangs, not one for each second of it.
    if (this.#beating) return;
    this.#beating = true;
    await this.inTurn(() => this.#renew({ at: rows[0]?.now ?? '-infinity', end: high })).finally(() => {
      this.#beating = false;
    });
  }

  async #renew(seen: Seen): Promise<void> {
    const { db, claimed, logger, onBeat } = this.options;
    if (this.fenced) return;
    // Under steady load the end just read is never reached at once: an earlier one that was reached meanwhile counts.
    const mark = claimed.next >= seen.end ? seen : (this.#seen ?? seen);
    this.#seen = claimed.next >= mark.end ? (mark === seen ? undefined : seen) : mark;
    if (!(await beat(db, claimed, mark.at, mark.end))) {
      logger.warn({ partition: claimed.partition }, 'another has claimed the partition');
      recorded.fences.add(1);
      this.fenced = true;
    }
    onBeat();
  }
}
