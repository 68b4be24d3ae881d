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
import { beat, type Claim, claim, Fenced, fingerprintOf, type Generation, giveUp, LogMismatch } from './checkpoint.js';
import { groupByCommand, isCut } from './commands-of.js';
import { type Batch, Committer } from './committer.js';
import { sweepTombstones } from './housekeeping.js';
import type { BatchPlan } from './plan.js';
import type { ProjectionSet } from './projection.js';

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
  /** Offset after the last folded one, and the log's end when last seen. */
  readonly next: bigint;
  readonly high: bigint;
  /** Monotonic milliseconds since a batch or heartbeat last succeeded. */
  readonly idleMs: number;
  readonly error: string | null;
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

interface Seen {
  readonly at: string;
  readonly end: bigint;
}

interface Held {
  readonly claimed: Claim;
  readonly committer: Committer;
  /** Batches and heartbeats of one partition take turns. */
  turn: Promise<unknown>;
  readonly timer: NodeJS.Timeout;
  fenced: boolean;
  high: bigint;
  /** An instant and the log's end after it, while it is not folded to that end (I7). */
  seen: Seen | undefined;
  progressAt: number;
}

interface Span {
  readonly from: bigint;
  readonly end: bigint;
}

const BEAT_MS = 1_000;
const SWEEP_EVERY = 500;

export const createProjector = (options: ProjectorOptions): Projector => new LogProjector(options);

class LogProjector implements Projector, PartitionConsumer {
  private readonly held = new Map<number, Held>();
  private readonly errors = new Map<number, string>();
  private readonly size = new BatchSize();
  private subscription: LogSubscription | undefined;
  private retired: (() => void) | undefined;

  constructor(private readonly options: ProjectorOptions) {}

  start(): void {
    this.subscription ??= this.options.log.subscribe(this, `projector-${this.options.generation.id}`);
  }

  status(): readonly PartitionStatus[] {
    return Array.from({ length: this.options.log.partitions }, (_, partition) => {
      const held = this.held.get(partition);
      return {
        partition,
        owned: held !== undefined && !held.fenced,
        next: held?.claimed.next ?? 0n,
        high: held?.high ?? 0n,
        idleMs: held ? performance.now() - held.progressAt : 0,
        error: this.errors.get(partition) ?? null,
      };
    });
  }

  reading(): SubscriptionStatus {
    return this.subscription?.status() ?? { silentMs: 0, alarms: [] };
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
    const { pool, owner, log, journal, logger } = this.options;
    if (await this.isRetired()) return null;
    const claimed = await claim(pool, partition, owner, log.coordinated);
    if (!claimed) return null;
    try {
      await verify(log, claimed);
    } catch (error) {
      if (error instanceof LogMismatch) {
        this.errors.set(partition, error.message);
        logger.error({ partition, next: String(claimed.next) }, error.message);
        await giveUp(pool, claimed);
        return null;
      }
      throw error;
    }
    this.errors.delete(partition);
    recorded.claims.add(1);
    recorded.fences.add(0); // It is there from the first scrape on: a rate of what begins at 1 is blind to the first.
    const { rows } = await pool.query<{ conference: string; offset: string }>(
      'select conference, "offset" from public.skipped_event where log_identity = $1',
      [this.options.generation.logIdentity],
    );
    const skipped = new Set(rows.map((row) => `${row.conference} ${row.offset}`));
    this.held.set(partition, {
      claimed,
      committer: this.committerOf(claimed, journal.reader(), skipped),
      turn: Promise.resolve(),
      timer: setInterval(() => this.beat(partition), BEAT_MS),
      fenced: false,
      high: claimed.next,
      seen: undefined,
      progressAt: performance.now(),
    });
    this.beat(partition);
    logger.debug({ partition, next: String(claimed.next) }, 'partition claimed');
    return claimed.next;
  }

  async consume(batch: LogBatch): Promise<bigint | null> {
    const held = this.held.get(batch.partition);
    if (!held || held.fenced) return null;
    return this.inTurn(held, async () => {
      const { claimed } = held;
      if (batch.fetchedOffset > claimed.next) return claimed.next; // A gap would be a loss: read again from where we are.
      held.high = batch.highWatermark;
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
        if (!(error instanceof Fenced)) throw error;
        this.options.logger.warn({ partition: batch.partition }, error.message);
        held.fenced = true;
        if (await this.isRetired()) this.retired?.();
        return null;
      }
    });
  }

  lost(partition: number): void {
    const held = this.held.get(partition);
    if (!held) return;
    clearInterval(held.timer);
    held.fenced = true;
    this.held.delete(partition);
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
    const onCommit = async ({ missingKeys, partition }: BatchPlan) => {
      const held = this.held.get(partition);
      if (held) held.progressAt = performance.now();
      this.options.onCommit?.();
      if (missingKeys > 0) logger.error({ partition, missingKeys }, 'keys of sealed fields are missing');
      if (++batches % SWEEP_EVERY === 0) await sweepTombstones(pool, generation, claimed);
    };
    return new Committer({ pool, set, catalog, generation, logger, claimed, reader, skipped, size, onCommit });
  }

  private beat(partition: number): void {
    const held = this.held.get(partition);
    if (!held || held.fenced) return;
    this.look(held, partition).catch((err: unknown) =>
      this.options.logger.warn({ err, partition }, 'the heartbeat of a partition failed'),
    );
  }

  /** Reads the log's end first and outside of the turn: how much waits must be known while a batch hangs. */
  private async look(held: Held, partition: number): Promise<void> {
    const { pool, log } = this.options;
    // The order proves it: whatever was appended before this instant is below the end that is read after it.
    const { rows } = await pool.query<{ now: string }>('select clock_timestamp()::text as now');
    const { high } = await log.watermarks(partition);
    if (high > held.high) held.high = high;
    await this.inTurn(held, async () => {
      if (held.fenced) return;
      // Under steady load the end just read is never reached at once: an earlier one that was reached meanwhile counts.
      const seen: Seen = { at: rows[0]?.now ?? '-infinity', end: high };
      const mark = held.claimed.next >= high ? seen : (held.seen ?? seen);
      held.seen = held.claimed.next >= mark.end ? (mark === seen ? undefined : seen) : mark;
      if (await beat(pool, held.claimed, mark.at, mark.end)) held.progressAt = performance.now();
      else held.fenced = true;
      this.options.onCommit?.();
    });
  }

  private async isRetired(): Promise<boolean> {
    const { rows } = await this.options.pool.query<{ state: string }>(
      'select state from public.generation where id = $1',
      [this.options.generation.id],
    );
    return rows[0]?.state === 'retired';
  }

  private inTurn<T>(held: Held, work: () => Promise<T>): Promise<T> {
    const run = held.turn.then(work, work);
    held.turn = run.catch(() => undefined); // Its caller hears of the failure; the next turn only waits for the end.
    return run;
  }
}

/** @throws LogMismatch */
async function verify(log: EventLog, { partition, next, fingerprint }: Claim): Promise<void> {
  const { low, high } = await log.watermarks(partition);
  if (next > high)
    throw new LogMismatch(
      `partition ${partition}: the log ends before the checkpoint; it was truncated or is another log`,
    );
  if (next < low)
    throw new LogMismatch(`partition ${partition}: the log begins after the checkpoint; events are missing`);
  if (!fingerprint || next === 0n) return;
  const { records } = await log.read(partition, next - 1n, 1);
  const record = records[0];
  // The record before the checkpoint may be a hidden one (Kafka): then there is nothing to compare.
  if (record?.offset === next - 1n && !fingerprintOf(record).equals(fingerprint)) {
    throw new LogMismatch(
      `partition ${partition}: the record before the checkpoint is not the one that was folded; this is another log`,
    );
  }
}
