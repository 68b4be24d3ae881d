/**
 * Folds batches and commits them in order. While one is being written the next is folded on the rows it leaves: folding is this
 * process's work and writing is the database's, and each would wait for the other half of the time (bench/projection.mjs).
 */

import type pg from 'pg';
import type { EventCatalog, EventReader, LogRecord } from '#libs/event-log';
import { defineLimit } from '#libs/limits';
import { type Logger, sqlState } from '#libs/postgres';
import type { BatchSize } from './batch-size.js';
import { type Claim, fingerprintOf, type Generation, halt } from './checkpoint.js';
import type { Batch } from './commands-of.js';
import { foldBatch } from './fold.js';
import { Statistics } from './housekeeping.js';
import { Overlay } from './overlay.js';
import { ParkingRate } from './parking-rate.js';
import type { BatchPlan, RowSource } from './plan.js';
import type { ProjectionSet } from './projection.js';
import { isPassing, Recovery } from './recovery.js';
import type { ReleaseSlice } from './release.js';
import { releaseInSlices } from './release-slices.js';
import { createPostgresRowSource } from './row-source.js';
import type { Treatments } from './treatment.js';
import { rehearseBatch, writeBatch } from './write-batch.js';

export interface CommitterOptions {
  readonly pool: pg.Pool;
  readonly set: ProjectionSet;
  readonly catalog: EventCatalog;
  readonly generation: Generation;
  readonly logger: Logger;
  readonly claimed: Claim;
  readonly reader: EventReader;
  /** `conference offset` of events that an operator dropped; grows as drops are folded. */
  readonly skipped: Set<string>;
  readonly size: BatchSize;
  /** Of the partition, over all claims. Default: one of its own. */
  readonly rate?: ParkingRate;
  /** Topic of the log: where dead letters say they lay. Default: `conference.events`. */
  readonly topic?: string;
  /** Rows and looks remembered before the memory is given back. Default 20,000. */
  readonly maxKnown?: number;
  /** A batch is in the database; the checkpoint stands behind it. Must not throw. */
  readonly onCommit: (plan: BatchPlan) => void;
}

interface Folded extends Batch {
  readonly plan: BatchPlan;
  readonly startedAt: number;
  readonly foldMs: number;
}

interface Writing {
  readonly batch: Folded;
  /** The database has all it needs. Never rejects. */
  readonly sent: Promise<unknown>;
  /** What went wrong, if anything; never rejects. */
  readonly failure: Promise<unknown>;
}

const MAX_KNOWN = defineLimit({
  name: 'projection.rows-in-memory',
  value: 20_000,
  unit: 'rows',
  beyond: 'all rows are forgotten and read again when needed',
});

export class Committer {
  /** Monotonic milliseconds of the last sign that the work in hand goes on: rows came, events were folded, a batch was written. */
  aliveAt = performance.now();
  /** The event at which the partition stands still, if it is known. */
  culprit: bigint | null = null;
  private readonly source: RowSource;
  private readonly statistics: Statistics;
  private readonly recovery: Recovery;
  /** What this claim has read and written stays true while it holds: nobody else may write these rows (I1). */
  private overlay: Overlay;

  constructor(private readonly options: CommitterOptions) {
    this.source = this.watched(createPostgresRowSource(options.pool));
    this.recovery = this.recoveryOf(options);
    this.statistics = new Statistics(options.pool, options.generation, options.logger);
    this.overlay = new Overlay(this.source);
  }

  /** @throws Fenced; whatever says nothing about the events themselves. Batches before the one that failed are committed. */
  async run(batches: Iterable<Batch>): Promise<void> {
    let writing: Writing | undefined;
    let expected = this.options.claimed.next;
    try {
      for (const batch of batches) {
        if (this.overlay.known > (this.options.maxKnown ?? MAX_KNOWN)) this.overlay.shed();
        if (this.isRelease(batch.records)) {
          await this.finish(writing);
          writing = undefined;
          await this.release(batch);
          expected = batch.next;
          continue;
        }
        // Folding keeps this process busy, and the database would wait for what it is to write.
        await writing?.sent;
        const folding = settled(this.fold(batch, expected));
        const asPlanned = await this.finish(writing, folding);
        writing = undefined;
        const folded = asPlanned ? await folding : await settled(this.fold(batch, expected));
        if ('value' in folded) writing = this.write(folded.value);
        else await this.recover(batch, folded.error);
        expected = batch.next;
      }
      await this.finish(writing);
    } catch (error) {
      // Some of what it knows may never have been written.
      this.forget();
      throw error;
    }
  }

  /** It lets a stream go on, however much waits in it: a batch by itself, written in slices. */
  readonly isRelease = (group: readonly LogRecord[]): boolean =>
    group.length === 1 && group[0]?.headers.get('ce_type')?.toString('utf8') === this.options.set.skip;

  private async release(batch: Batch): Promise<void> {
    await releaseInSlices({
      attempt: async (slice) => {
        const folded = await this.fold(batch, this.options.claimed.next, undefined, slice);
        const failure = await this.write(folded).failure;
        if (failure !== undefined) throw failure;
        if (this.overlay.known > (this.options.maxKnown ?? MAX_KNOWN)) this.overlay.shed();
        return !folded.plan.unfinished;
      },
      forget: () => this.forget(),
      giveUp: (error) => this.recover(batch, error),
    });
  }

  private forget(): void {
    this.overlay = new Overlay(this.source);
  }

  private async fold(batch: Batch, expected: bigint, treatments?: Treatments, release?: ReleaseSlice): Promise<Folded> {
    const { set, catalog, claimed, reader, skipped } = this.options;
    const { partition } = claimed;
    const started = performance.now();
    const startedAt = Date.now();
    const plan = await foldBatch({
      set,
      catalog,
      partition,
      expected,
      next: batch.next,
      records: await reader.decode(partition, batch.records),
      source: this.source,
      overlay: this.overlay,
      decode: (again) => reader.decode(partition, again),
      isSkipped: (conference, offset) => skipped.has(`${conference} ${offset}`),
      ...(treatments ? { treatments } : {}),
      ...(release ? { release } : {}),
      onProgress: () => this.isAlive(),
    });
    for (const { conference, offset } of plan.skipped) skipped.add(`${conference} ${offset}`);
    return { ...batch, plan, startedAt, foldMs: performance.now() - started };
  }

  private write(batch: Folded): Writing {
    const { pool, generation, claimed, topic } = this.options;
    const last = batch.records.at(-1);
    const { plan, startedAt, foldMs } = batch;
    const fingerprint = last && !plan.unfinished ? fingerprintOf(last) : null;
    const started = performance.now();
    const { promise: onItsWay, resolve: onSent } = Promise.withResolvers<void>();
    const written = writeBatch({
      ...{ pool, generation, claimed, plan, fingerprint, startedAt, foldMs, onSent },
      ...(topic ? { topic } : {}),
    });
    const failure = written.then(
      () => this.committed(batch, performance.now() - started),
      (error: unknown) => error,
    );
    return { batch, sent: Promise.race([onItsWay, failure]), failure };
  }

  /** @returns whether everything was written as it was planned, so that what was folded on top of it holds */
  private async finish(writing: Writing | undefined, following?: Promise<unknown>): Promise<boolean> {
    const failure = await writing?.failure;
    if (!writing || failure === undefined) return true;
    // Nothing of it may still be under way when the rows it was folded on are forgotten.
    await following;
    await this.recover(writing.batch, failure);
    return false;
  }

  /** What follows a commit is no part of it: a failure here must not look like one of the write. */
  private committed(batch: Folded, writeMs: number): undefined {
    const { claimed, size, onCommit, logger } = this.options;
    claimed.next = batch.plan.next;
    claimed.halted = null;
    this.culprit = null;
    this.isAlive();
    // A release says nothing about batches.
    if (!this.isRelease(batch.records)) size.observe(batch.records.length, batch.foldMs + writeMs);
    this.statistics.grew(batch.plan.events);
    try {
      onCommit(batch.plan);
    } catch (err) {
      logger.error({ err, partition: claimed.partition }, 'what follows a commit failed');
    }
    return undefined;
  }

  /** @throws the error, if it says nothing about the events of this batch */
  private async recover(batch: Batch, error: unknown): Promise<void> {
    if (mayBeSize(error)) this.options.size.failed();
    await this.recovery.recover(batch, error);
  }

  private recoveryOf({ pool, claimed, logger, skipped, rate = new ParkingRate() }: CommitterOptions): Recovery {
    return new Recovery({
      partition: claimed.partition,
      logger,
      rate,
      haltedBy: () => claimed.halted,
      halt: (state) => halt(pool, claimed, state),
      isSkipped: ({ key, offset }) => skipped.has(`${key} ${offset}`),
      attempt: (batch, treatments) => this.alone(batch, treatments),
      rehearse: (batch, treatments) => this.rehearse(batch, treatments),
      onCulprit: (offset) => {
        this.culprit = offset;
      },
    });
  }

  private async alone(batch: Batch, treatments?: Treatments): Promise<void> {
    this.forget();
    const { claimed } = this.options;
    const failure = await this.write(await this.fold(batch, claimed.next, treatments)).failure;
    if (failure !== undefined) throw failure;
  }

  private async rehearse(batch: Batch, treatments: Treatments): Promise<void> {
    this.forget();
    const { pool, generation, claimed, topic } = this.options;
    const { plan } = await this.fold(batch, claimed.next, treatments);
    await rehearseBatch({ pool, generation, claimed, plan, fingerprint: null, ...(topic ? { topic } : {}) });
    this.isAlive();
  }

  private isAlive(): void {
    this.aliveAt = performance.now();
  }

  private watched(source: RowSource): RowSource {
    return {
      load: async (selects) => {
        const rows = await source.load(selects);
        this.isAlive();
        return rows;
      },
    };
  }
}

/** Of a lost connection or a lost claim the size of the batch is no cause; a server out of memory, or out of time, may take half of it. */
const mayBeSize = (error: unknown): boolean => !isPassing(error) || /^(53|57014)/.test(sqlState(error) ?? '');

type Settled<T> = { readonly value: T } | { readonly error: unknown };

const settled = <T>(work: Promise<T>): Promise<Settled<T>> =>
  work.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
