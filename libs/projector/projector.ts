/** The effect half: claims partitions, folds what the log delivers, writes it under the compare-and-swap, and says how far it is. */
import type pg from 'pg';
import type {
  EventCatalog,
  EventLog,
  EventReader,
  Journal,
  LogBatch,
  LogSubscription,
  PartitionConsumer,
  SubscriptionStatus,
} from '#libs/event-log';
import type { Logger } from '#libs/postgres';
import { recorded } from '#libs/signals';
import { BatchSize } from './batch-size.js';
import { type Claim, Fenced, type Generation, readersName } from './checkpoint.js';
import { Claiming } from './claiming.js';
import { batchesOf, groupByCommand, isCut } from './commands-of.js';
import { Committer } from './committer.js';
import { GenerationWatch, isWritten } from './generation-watch.js';
import { Holding } from './holding.js';
import { Membership } from './membership.js';
import { ParkingRate, PartitionHalted } from './parking-rate.js';
import type { BatchPlan } from './plan.js';
import type { ProjectionSet } from './projection.js';
import { RestoreWatch } from './restore-watch.js';
import { Standing } from './standing.js';
import { TombstoneSweep } from './tombstone-sweep.js';

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
  /** Topic of the log, named by dead letters and traces. Default: `conference.events`. */
  readonly topic?: string;
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
  /** Partitions that no projector of this generation has owned for 15 s. */
  unowned(): readonly number[];
  /** The generation was retired: this process has nothing left to write. Called at once if that has happened already. */
  onRetired(listener: () => void): void;
  stop(): Promise<void>;
}

export const createProjector = (options: ProjectorOptions): Projector => new LogProjector(options);

class LogProjector implements Projector, PartitionConsumer {
  private readonly held = new Map<number, Holding>();
  private readonly standings: readonly Standing[];
  private readonly rates: readonly ParkingRate[];
  private readonly size = new BatchSize();
  private readonly sweep: TombstoneSweep;
  private readonly membership: Membership;
  private readonly claiming: Claiming;
  private readonly watch: GenerationWatch;
  private readonly restores: RestoreWatch;
  private subscription: LogSubscription | undefined;
  private retired = false;
  private readonly retiredListeners: (() => void)[] = [];

  constructor(private readonly options: ProjectorOptions) {
    const { pool: db, owner, logger, log } = options;
    const { partitions } = log;
    this.standings = Array.from({ length: partitions }, () => new Standing());
    this.rates = this.standings.map(() => new ParkingRate());
    this.sweep = new TombstoneSweep({ pool: db, logger });
    const onShare = (share: number) => this.giveUpBeyond(share);
    const membership = new Membership({ db, owner, partitions, logger, onShare });
    const owned = () => this.owned().length;
    this.membership = membership;
    const onRetired = () => this.retire();
    this.watch = new GenerationWatch({ db, partitions, logger, generation: options.generation.id, onRetired });
    this.restores = new RestoreWatch(db, logger);
    this.claiming = new Claiming({ db, log, owner, logger, membership, owned, isRetired: () => this.isRetired() });
  }

  start(): void {
    this.subscription ??= this.options.log.subscribe(this, readersName(this.options.generation.id));
    this.watch.start();
  }

  status(): readonly PartitionStatus[] {
    const { assigned } = this.reading();
    return this.standings.map((standing, partition) => {
      const unclaimedMs = assigned.get(partition);
      const owned = this.holds(partition);
      // What is not even offered is not ours to speak of; what was declined, `forget` has made nothing of.
      const ours = owned || unclaimedMs !== undefined;
      const { next, high, folded, error, stopped } = standing;
      return {
        partition,
        owned,
        next: ours ? next : 0n,
        high: ours ? high : 0n,
        folded,
        // A restart would not mend what an operator must decide.
        waitsMs: ours && standing.halted === null ? standing.waitsMs() : 0,
        unclaimedMs: unclaimedMs ?? 0,
        error: ours ? error : null,
        stopped: ours && (stopped ?? standing.halted) !== null,
      };
    });
  }

  reading(): SubscriptionStatus {
    return this.subscription?.status() ?? { silentMs: 0, alarms: [], assigned: new Map() };
  }

  unowned(): readonly number[] {
    return this.watch.alarmed();
  }

  onRetired(listener: () => void): void {
    if (this.retired) listener();
    else this.retiredListeners.push(listener);
  }

  private retire(): void {
    this.retired = true;
    for (const listener of this.retiredListeners.splice(0)) listener();
  }

  async stop(): Promise<void> {
    this.watch.stop();
    const left = this.membership.leave();
    const held = [...this.held.values()];
    await this.subscription?.close();
    await Promise.all([left, this.sweep.stop(), ...held.map((one) => one.giveUp())]);
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
      if (held.fenced) return null;
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
        await held.committer.run(batchesOf(whole, { from: claimed.next, end }, this.size, held.committer.isRelease));
        return claimed.next;
      } catch (error) {
        if (!(error instanceof Fenced)) {
          this.consumeFailed(held, error);
          throw error;
        }
        this.options.logger.warn({ partition: batch.partition }, error.message);
        held.fenced = true;
        await this.isRetired();
        return null;
      }
    });
  }

  private consumeFailed({ claimed, committer }: Holding, error: unknown): void {
    const { partition } = claimed;
    const next = committer.culprit ?? claimed.next;
    const standing = this.standing(partition);
    if (!(error instanceof PartitionHalted)) standing.consumeFailed(error, next);
    else if (standing.halt(error.message))
      this.options.logger.error({ partition, next: String(next), state: error.state }, error.message);
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

  private owned(): readonly Holding[] {
    return [...this.held.values()].filter(({ fenced }) => !fenced);
  }

  /** The last ones claimed go first: their rows are the least likely to be in memory. */
  private giveUpBeyond(share: number): void {
    for (const one of this.owned().slice(share)) void one.giveUp();
  }

  private async take(partition: number): Promise<bigint | null> {
    // Whatever ended the last claim may have brought another database: after a failover this process folds on, and clients must learn.
    await this.restores.check();
    const standing = this.standing(partition);
    const hold = async (claimed: Claim) => {
      const skipped = await this.skipped();
      recorded.claims.add(1);
      recorded.fences.add(0); // It is there from the first scrape on: a rate of what begins at 1 is blind to the first.
      standing.claimed(claimed.next);
      this.held.set(partition, this.hold(claimed, skipped));
      this.options.logger.debug({ partition, next: String(claimed.next) }, 'partition claimed');
    };
    const taken = await this.claiming.take(partition, standing, hold);
    return taken ? (this.held.get(partition)?.claimed.next ?? null) : null;
  }

  private hold(claimed: Claim, skipped: Set<string>): Holding {
    const { pool, log, logger, journal } = this.options;
    const standing = this.standing(claimed.partition);
    const committer = this.committerOf(claimed, journal.reader(), skipped);
    // A heartbeat wakes no tail: they look ten times a second by themselves.
    const onBeat = () => this.membership.sign();
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

  private committerOf(claimed: Claim, reader: EventReader, skipped: Set<string>): Committer {
    const { pool, set, catalog, generation, logger, topic } = this.options;
    const { size } = this;
    const rate = this.rates[claimed.partition] ?? new ParkingRate();
    const onCommit = ({ missingKeys, partition, next }: BatchPlan) => {
      this.standing(partition).moved(next);
      this.membership.sign();
      this.sweep.committed(partition);
      this.options.onCommit?.();
      if (missingKeys > 0)
        logger.error(
          { partition, missingKeys },
          'keys of sealed fields are missing, the texts read [erased]: docs/operations.md, "Keys are missing"',
        );
    };
    const parts = { pool, set, catalog, generation, logger, claimed, reader, skipped, size, rate, onCommit };
    return new Committer({ ...parts, ...(topic ? { topic } : {}) });
  }

  private async isRetired(): Promise<boolean> {
    const written = await isWritten(this.options.pool, this.options.generation.id);
    if (!written) this.retire();
    return !written;
  }
}
