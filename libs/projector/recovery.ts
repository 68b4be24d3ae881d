/**
 * D1, D2: a batch that cannot be folded or written is tried in ever smaller parts, until the one event is found that the database does not
 * take. That one is parked, or quarantined if it cannot even be parked; everything else goes on.
 */

import type { LogRecord } from '#libs/event-log';
import { defineLimit } from '#libs/limits';
import { isTransient, type Logger, mayBeAboutData, sqlState } from '#libs/postgres';
import { Fenced } from './checkpoint.js';
import { type Batch, groupByCommand } from './commands-of.js';
import { ProjectionFailed } from './documents.js';
import { UndeclaredRead } from './overlay.js';
import { type ParkingRate, PartitionHalted } from './parking-rate.js';
import type { Treatment, Treatments } from './treatment.js';
import { refusalOf } from './unfoldable.js';

export interface RecoveryParts {
  readonly partition: number;
  readonly logger: Logger;
  readonly rate: ParkingRate;
  /** The SQLSTATE for which this partition was halted before, by whichever process: nothing more is parked for it. */
  readonly haltedBy: () => string | null;
  /** Remembers that, for the processes after this one. */
  readonly halt: (state: string) => Promise<void>;
  /** An operator dropped it (D3). */
  readonly isSkipped: (record: LogRecord) => boolean;
  /** Folds and writes it, on rows that are read again. @throws what went wrong; then nothing was written */
  readonly attempt: (batch: Batch, treatments?: Treatments) => Promise<void>;
  /** The same, without a trace: to learn whether it can be written. */
  readonly rehearse: (batch: Batch, treatments: Treatments) => Promise<void>;
  /** The partition stands still at this event: an operator may drop it (D3). */
  readonly onCulprit: (offset: bigint) => void;
}

/** Events of one command that are looked for one by one; when more of it are refused, the rest is treated alike. */
const MAX_CULPRITS = defineLimit({
  name: 'projection.parked.per-command',
  value: 8,
  unit: 'events',
  beyond: 'the rest of the command is treated alike',
});

export class Recovery {
  constructor(private readonly parts: RecoveryParts) {}

  /** @throws the error, if it says nothing about the events of this batch; whatever stops the parts of it likewise */
  async recover({ records, next }: Batch, error: unknown): Promise<void> {
    const groups = groupByCommand(records);
    if (groups.length === 1) await this.nameCulprit({ records, next }, error);
    this.judge(records, error);
    const { logger, partition } = this.parts;
    logger.error({ err: error, partition }, 'a batch cannot be folded; it is folded in smaller parts');
    if (groups.length <= 1) await this.command({ records, next }, error);
    else await this.halves(groups, next);
  }

  private async halves(groups: readonly (readonly LogRecord[])[], next: bigint): Promise<void> {
    const middle = Math.ceil(groups.length / 2);
    const halves = [groups.slice(0, middle), groups.slice(middle)];
    for (const [index, half] of halves.entries()) {
      const following = halves[index + 1]?.[0]?.[0];
      const batch = { records: half.flat(), next: following?.offset ?? next };
      try {
        await this.parts.attempt(batch);
      } catch (error) {
        this.judge(batch.records, error);
        if (half.length === 1) await this.command(batch, error);
        else await this.halves(half, batch.next);
      }
    }
  }

  /** What stands still by one command after many tries is said by the event: batches that fail become smaller, down to one command. */
  private async nameCulprit(batch: Batch, error: unknown): Promise<void> {
    if (isPassing(error)) return;
    const { offset } = await this.culprit(batch, new Map(), (why) => {
      if (isPassing(why)) throw why;
    });
    this.parts.onCulprit(offset);
  }

  /** It has failed once by itself, or with what was folded before it. */
  private async command(batch: Batch, first: unknown): Promise<void> {
    const { partition, logger } = this.parts;
    const treatments = new Map<bigint, Treatment>();
    let error: unknown;
    for (let failures = 0; failures < 2; failures++) {
      error = await this.again(batch);
      if (error === undefined) return;
    }
    const state = sqlState(error) ?? sqlState(first);
    await this.mayPark(batch, state);
    for (let round = 1; ; round++) {
      const found = round > MAX_CULPRITS ? batch.records : [await this.culprit(batch, treatments)];
      for (const record of found) this.escalate(record, treatments, refusalOf(error));
      try {
        await this.parts.attempt(batch, treatments);
        break;
      } catch (why) {
        this.judge(batch.records, why);
        if (batch.records.every(({ offset }) => treatments.get(offset)?.step === 'quarantine')) throw why;
        error = why;
      }
    }
    this.parts.rate.parked(state);
    for (const [offset, { step, reason }] of treatments)
      logger.error({ partition, offset: String(offset), step, reason }, 'an event cannot be folded');
  }

  /** @returns why it failed, or undefined if it did not */
  private async again(batch: Batch): Promise<unknown> {
    try {
      await this.parts.attempt(batch);
      return undefined;
    } catch (error) {
      this.judge(batch.records, error);
      return error;
    }
  }

  /** The last event of the shortest beginning of the command that the database does not take. */
  private async culprit(
    { records }: Batch,
    treatments: Treatments,
    judge = (error: unknown) => this.judge(records, error),
  ): Promise<LogRecord> {
    let good = 0;
    let bad = records.length;
    while (bad - good > 1) {
      const middle = Math.floor((good + bad) / 2);
      const beginning = records.slice(0, middle);
      try {
        await this.parts.rehearse({ records: beginning, next: (beginning.at(-1)?.offset ?? 0n) + 1n }, treatments);
        good = middle;
      } catch (error) {
        judge(error);
        bad = middle;
      }
    }
    return records[bad - 1] as LogRecord;
  }

  private escalate(record: LogRecord, treatments: Map<bigint, Treatment>, reason: string): void {
    const isParked = treatments.has(record.offset) || this.parts.isSkipped(record);
    treatments.set(record.offset, { step: isParked ? 'quarantine' : 'park', reason });
  }

  /** @throws PartitionHalted */
  private async mayPark({ records }: Batch, state: string | undefined): Promise<void> {
    const { rate, haltedBy, halt, isSkipped } = this.parts;
    if (records.some(isSkipped)) return;
    if (rate.allows(state) && (state === undefined || haltedBy() !== state)) return;
    if (state !== undefined && haltedBy() !== state) await halt(state);
    throw new PartitionHalted(state ?? '', records[0]?.offset ?? 0n);
  }

  /** @throws the error, if smaller parts would fail likewise */
  private judge(records: readonly LogRecord[], error: unknown): void {
    if (isPassing(error)) throw error;
    const isDropped = records.some((record) => this.parts.isSkipped(record));
    if (!isDropped && !isAboutEvents(error)) throw error;
  }
}

/** The same work may succeed later, or elsewhere. */
export const isPassing = (error: unknown): boolean =>
  error instanceof Fenced || error instanceof PartitionHalted || isTransient(error);

export const isAboutEvents = (error: unknown): boolean =>
  error instanceof ProjectionFailed || error instanceof UndeclaredRead || mayBeAboutData(error);
