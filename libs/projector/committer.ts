/**
 * Folds batches and commits them in order. While one is being written the next is folded on the rows it leaves: folding is this
 * process's work and writing is the database's, and each would wait for the other half of the time (bench/projection.mjs).
 */
import type pg from 'pg';
import type { EventCatalog, EventReader } from '#libs/event-log';
import { isDataError, type Logger } from '#libs/postgres';
import type { BatchSize } from './batch-size.js';
import { type Claim, fingerprintOf, type Generation } from './checkpoint.js';
import { type Batch, groupByCommand } from './commands-of.js';
import { ProjectionFailed } from './documents.js';
import { foldBatch } from './fold.js';
import { Statistics } from './housekeeping.js';
import { Overlay } from './overlay.js';
import type { BatchPlan } from './plan.js';
import type { ProjectionSet } from './projection.js';
import { createPostgresRowSource } from './row-source.js';
import { writeBatch } from './write-batch.js';

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
  /** Rows and looks remembered before the memory is given back. Default 20,000. */
  readonly maxKnown?: number;
  /** A batch is in the database; the checkpoint stands behind it. */
  readonly onCommit: (plan: BatchPlan) => Promise<void> | void;
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

const MAX_KNOWN = 20_000;

export class Committer {
  private readonly source;
  private readonly statistics: Statistics;
  /** What this claim has read and written stays true while it holds: nobody else may write these rows (I1). */
  private overlay: Overlay;

  constructor(private readonly options: CommitterOptions) {
    this.source = createPostgresRowSource(options.pool);
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
        // Folding keeps this process busy, and the database would wait for what it is to write.
        await writing?.sent;
        const folding = settled(this.fold(batch, expected));
        const asPlanned = await this.finish(writing, folding);
        writing = undefined;
        const folded = asPlanned ? await folding : await settled(this.fold(batch, expected));
        if ('value' in folded) writing = this.write(folded.value);
        else await this.oneByOne(batch, folded.error);
        expected = batch.next;
      }
      await this.finish(writing);
    } catch (error) {
      // Some of what it knows may never have been written.
      this.forget();
      throw error;
    }
  }

  private forget(): void {
    this.overlay = new Overlay(this.source);
  }

  private async fold(batch: Batch, expected: bigint, parkOnly?: string): Promise<Folded> {
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
      ...(parkOnly ? { parkOnly } : {}),
    });
    for (const { conference, offset } of plan.skipped) skipped.add(`${conference} ${offset}`);
    return { ...batch, plan, startedAt, foldMs: performance.now() - started };
  }

  private write(batch: Folded): Writing {
    const { pool, generation, claimed } = this.options;
    const last = batch.records.at(-1);
    const fingerprint = last ? fingerprintOf(last) : null;
    const { plan, startedAt, foldMs } = batch;
    const started = performance.now();
    const { promise: onItsWay, resolve: onSent } = Promise.withResolvers<void>();
    const written = writeBatch({ pool, generation, claimed, plan, fingerprint, startedAt, foldMs, onSent }).then(
      async () => {
        claimed.next = batch.next;
        this.options.size.observe(batch.records.length, batch.foldMs + performance.now() - started);
        this.statistics.grew(plan.events);
        await this.options.onCommit(plan);
      },
    );
    const failure = written.then(
      () => undefined,
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
    await this.oneByOne(writing.batch, failure);
    return false;
  }

  /** @throws the error, if it says nothing about the events of this batch */
  private async oneByOne({ records, next: end }: Batch, error: unknown): Promise<void> {
    if (!isAboutEvents(error)) throw error;
    const { logger, claimed } = this.options;
    logger.error(
      { err: error, partition: claimed.partition },
      'a batch cannot be folded; its commands are folded one by one',
    );
    const groups = groupByCommand(records);
    for (const [index, group] of groups.entries()) {
      const batch = { records: group, next: groups[index + 1]?.[0]?.offset ?? end };
      try {
        await this.alone(batch);
      } catch (why) {
        if (!isAboutEvents(why)) throw why;
        await this.alone(batch, group[0]?.headers.get('ce_commandid')?.toString('utf8'));
      }
    }
  }

  private async alone(batch: Batch, parkOnly?: string): Promise<void> {
    this.forget();
    const { claimed } = this.options;
    const failure = await this.write(await this.fold(batch, claimed.next, parkOnly)).failure;
    if (failure !== undefined) throw failure;
  }
}

const isAboutEvents = (error: unknown): boolean => isDataError(error) || error instanceof ProjectionFailed;

type Settled<T> = { readonly value: T } | { readonly error: unknown };

const settled = <T>(work: Promise<T>): Promise<Settled<T>> =>
  work.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
