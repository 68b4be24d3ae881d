/** The effect half: claims partitions, folds what the log delivers, writes it under the compare-and-swap, and says how far it is. */
import type pg from 'pg';
import type {
  EventCatalog,
  EventLog,
  EventReader,
  Journal,
  LogBatch,
  LogRecord,
  LogSubscription,
  PartitionConsumer,
  SubscriptionStatus,
} from '#libs/event-log';
import type { Logger } from '#libs/postgres';
import { recorded } from '#libs/signals';
import { BatchSize } from './batch-size.js';
import { type Claim, claim, Fenced, type Generation, giveUp, LogMismatch } from './checkpoint.js';
import { groupByCommand, isCut } from './commands-of.js';
import { type Batch, Committer } from './committer.js';
import { Holding } from './holding.js';
import { sweepTombstones } from './housekeeping.js';
import type { BatchPlan } from './plan.js';
import type { ProjectionSet } from './projection.js';
import { Standing } from './standing.js';
import { verify } from './verify.js';

export interface ProjectorOptions {
  /** Connections whose search_path is the generation's schema. */
  readonly pool: pg.Pool;
  readonly log: EventLog;
  readonly journal: Journal;
  readonly set: ProjectionSet;
  readonly catalog: EventCatalog;
  readonly generation: Generation;
  /** Unique per process and start. */
  readonly owner: string;
  readonly logger: Logger;
  /** After each commit: the alarm clock of the tails. */
  readonly onCommit?: () => void;
}

export interface PartitionStatus {
  readonly partition: number;
  readonly owned: boolean;
  /** Offset after the last folded one, and the log's end when last seen; while this process is to fold the partition, else both 0. */
  readonly next: bigint;
  readonly high: bigint;
  /** Offsets this process has folded since its start. */
  readonly folded: number;
  /** Milliseconds for which events have waited and none was folded, over all claims; 0 while none waits. */
  readonly waitsMs: number;
  /** Milliseconds for which the claim has been due: it fails, or waits for a batch that hangs; 0: claimed, or another's. */
  readonly unclaimedMs: number;
  /** Why the last try to claim or to fold failed, without anybody's text. */
  readonly error: string | null;
  /** Checkpoint and log do not belong together: it stands still until an operator acts. */
  readonly stopped: boolean;
}

export interface Projector {
  start(): void;
  status(): readonly PartitionStatus[];
  /** How the log itself sees this reader. */
  reading(): SubscriptionStatus;
  /** The generation was retired by a newer projector: this process has nothing left to write. */
  onRetired(listener: () => void): void;
  stop(): Promise<void>;
}

interface Span {
  readonly from: bigint;
  readonly end: bigint;
}

const SWEEP_EVERY = 500;

export const createProjector = (options: ProjectorOptions): Projector => new LogProjector(options);

class LogProjector implements Projector, PartitionConsumer {
  private readonly held = new Map<number, Holding>();
  private readonly standings: readonly Standing[];
  private readonly size = new BatchSize();
  private subscription: LogSubscription | undefined;
  private retired: (() => void) | undefined;

  constructor(private readonly options: ProjectorOptions) {
    this.standings = Array.from({ length: options.log.partitions }, () => new Standing());
  }

  start(): void {
    this.subscription ??= this.options.log.subscribe(this, `projector-${this.options.generation.id}`);
  }

  status(): readonly PartitionStatus[] {
    const { assigned } = this.reading();
    return this.standings.map((standing, partition) => {
      const unclaimedMs = assigned.get(partition);
      const owned = this.holds(partition);
      // What the log has given to another is the other's to speak of.
      const ours = owned || unclaimedMs !== undefined;
      const { next, high, folded, error, stopped } = standing;
      return {
        partition,
        owned,
        next: ours ? next : 0n,
        high: ours ? high : 0n,
        folded,
        waitsMs: ours ? standing.waitsMs() : 0,
        unclaimedMs: unclaimedMs ?? 0,
        error: ours ? error : null,
        stopped: ours && stopped !== null,
      };
    });
  }

  reading(): SubscriptionStatus {
    return this.subscription?.status() ?? { silentMs: 0, alarms: [], assigned: new Map() };
  }

  onRetired(listener: () => void): void {
    this.retired = listener;
  }

  async stop(): Promise<void> {
    const claims = [...this.held.values()].map(({ claimed }) => claimed);
    await this.subscription?.close();
    await Promise.all(
      claims.map((claimed) =>
        giveUp(this.options.pool, claimed).catch((err) =>
          this.options.logger.warn({ err }, 'the lease was not given up; it will run out'),
        ),
      ),
    );
  }

  async claim(partition: number): Promise<bigint | null> {
    try {
      return await this.take(partition);
    } catch (error) {
      this.standing(partition).claimFailed(error);
      throw error;
    }
  }

  holds(partition: number): boolean {
    return this.held.get(partition)?.fenced === false;
  }

  async consume(batch: LogBatch): Promise<bigint | null> {
    const held = this.held.get(batch.partition);
    if (!held || held.fenced) return null;
    return held.inTurn(async () => {
      const { claimed } = held;
      if (batch.fetchedOffset > claimed.next) return claimed.next; // A gap would be a loss: read again from where we are.
      this.standing(batch.partition).saw(batch.highWatermark);
      const groups = groupByCommand(batch.records.filter(({ offset }) => offset >= claimed.next));
      const tail = groups.at(-1);
      // A command cut by the end of the fetch is read again whole; unless it begins it, then there is no more of it.
      const cut = tail && groups.length > 1 && isCut(tail) && batch.nextOffset < batch.highWatermark ? tail : undefined;
      const whole = cut ? groups.slice(0, -1) : groups;
      const end = cut?.[0]?.offset ?? batch.nextOffset;
      try {
        await held.committer.run(this.batchesOf(whole, { from: claimed.next, end }));
        return claimed.next;
      } catch (error) {
        if (!(error instanceof Fenced)) {
          this.standing(batch.partition).consumeFailed(error);
          throw error;
        }
        this.options.logger.warn({ partition: batch.partition }, error.message);
        held.fenced = true;
        if (await this.isRetired()) this.retired?.();
        return null;
      }
    });
  }

  lost(partition: number): void {
    this.held.get(partition)?.end();
    if (this.held.delete(partition)) this.standing(partition).lost();
  }

  private standing(partition: number): Standing {
    const standing = this.standings[partition];
    if (!standing) throw new RangeError(`there is no partition ${partition}`);
    return standing;
  }

  private async take(partition: number): Promise<bigint | null> {
    const { pool, owner, log, logger } = this.options;
    const standing = this.standing(partition);
    const claimed = (await this.isRetired()) ? null : await claim(pool, partition, owner, log.coordinated);
    if (!claimed) {
      standing.forget();
      return null;
    }
    try {
      await verify(log, claimed);
    } catch (error) {
      if (!(error instanceof LogMismatch)) throw error;
      standing.stopped = error.message;
      logger.error({ partition, next: String(claimed.next) }, error.message);
      await giveUp(pool, claimed);
      return null;
    }
    recorded.claims.add(1);
    recorded.fences.add(0); // It is there from the first scrape on: a rate of what begins at 1 is blind to the first.
    const skipped = await this.skipped();
    standing.claimed(claimed.next);
    this.held.set(partition, this.hold(claimed, skipped));
    logger.debug({ partition, next: String(claimed.next) }, 'partition claimed');
    return claimed.next;
  }

  private hold(claimed: Claim, skipped: Set<string>): Holding {
    const { pool, log, logger, journal } = this.options;
    const standing = this.standing(claimed.partition);
    const committer = this.committerOf(claimed, journal.reader(), skipped);
    const onBeat = () => this.options.onCommit?.();
    return new Holding({ db: pool, log, logger, claimed, committer, standing, onBeat });
  }

  /** Events that an operator dropped, as `conference offset`. */
  private async skipped(): Promise<Set<string>> {
    const { rows } = await this.options.pool.query<{ conference: string; offset: string }>(
      'select conference, "offset" from public.skipped_event where log_identity = $1',
      [this.options.generation.logIdentity],
    );
    return new Set(rows.map((row) => `${row.conference} ${row.offset}`));
  }

  /** Whole commands, as many as commit in good time. */
  private *batchesOf(groups: readonly (readonly LogRecord[])[], { from, end }: Span): Iterable<Batch> {
    let pending: LogRecord[] = [];
    for (const [index, group] of groups.entries()) {
      pending.push(...group);
      const following = groups[index + 1]?.[0];
      if (following && pending.length < this.size.current) continue;
      yield { records: pending, next: following?.offset ?? end };
      pending = [];
    }
    // Hidden records only: the checkpoint moves over them with the next batch.
    if (groups.length === 0 && end > from) yield { records: [], next: end };
  }

  private committerOf(claimed: Claim, reader: EventReader, skipped: Set<string>): Committer {
    const { pool, set, catalog, generation, logger } = this.options;
    const { size } = this;
    let batches = 0;
    const onCommit = async ({ missingKeys, partition, next }: BatchPlan) => {
      this.standing(partition).moved(next);
      this.options.onCommit?.();
      if (missingKeys > 0) logger.error({ partition, missingKeys }, 'keys of sealed fields are missing');
      if (++batches % SWEEP_EVERY === 0) await sweepTombstones(pool, generation, claimed);
    };
    return new Committer({ pool, set, catalog, generation, logger, claimed, reader, skipped, size, onCommit });
  }

  private async isRetired(): Promise<boolean> {
    const { rows } = await this.options.pool.query<{ state: string }>(
      'select state from public.generation where id = $1',
      [this.options.generation.id],
    );
    return rows[0]?.state === 'retired';
  }
}
