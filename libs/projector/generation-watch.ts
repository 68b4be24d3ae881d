/**
 * What a projector looks at from time to time, whether or not anything is appended: whether its generation is still to be written, and
 * which partitions no projector owns, for what is appended to them waits.
 */
import type { Logger, Queryable } from '#libs/postgres';

/** Longer than a takeover (a lease of 3 s, then a claim): a partition without an owner for so long is an alarm. */
export const UNOWNED_ALARM_MS = 15_000;
const LOOK_EVERY_MS = 2_000;

/** States of a generation that is written. Any other: another version, or an operator, has taken over. */
const WRITTEN = new Set(['building', 'live']);

export interface GenerationWatchOptions {
  /** Its search path is the generation's schema. */
  readonly db: Queryable;
  readonly generation: number;
  /** Called at each look while it is so. */
  readonly onRetired: () => void;
  readonly partitions: number;
  readonly logger: Logger;
  /** Default `UNOWNED_ALARM_MS`. */
  readonly alarmMs?: number;
  readonly lookEveryMs?: number;
}

export class GenerationWatch {
  /** Partition to the monotonic milliseconds since when it was seen without an owner. */
  readonly #since = new Map<number, number>();
  readonly #alarmed = new Set<number>();
  #timer: NodeJS.Timeout | undefined;
  #looking = false;

  constructor(private readonly options: GenerationWatchOptions) {}

  start(): void {
    this.#timer ??= setInterval(() => void this.#look(), this.options.lookEveryMs ?? LOOK_EVERY_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** In ascending order. While the database cannot be read, what was known. */
  alarmed(): readonly number[] {
    return [...this.#alarmed].sort((one, other) => one - other);
  }

  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      if (!(await isWritten(this.options.db, this.options.generation))) return this.options.onRetired();
      const { rows } = await this.options.db.query<{ partition: number }>(
        'select partition from projection_checkpoint where lease_until > clock_timestamp()',
      );
      this.#judge(new Set(rows.map(({ partition }) => partition)));
    } catch (err) {
      this.options.logger.debug({ err }, 'the generation was not looked at');
    } finally {
      this.#looking = false;
    }
  }

  #judge(owned: ReadonlySet<number>): void {
    const { partitions, logger, alarmMs = UNOWNED_ALARM_MS } = this.options;
    const now = performance.now();
    for (let partition = 0; partition < partitions; partition++) {
      if (owned.has(partition)) {
        this.#since.delete(partition);
        if (this.#alarmed.delete(partition)) logger.info({ partition }, 'the partition has an owner again');
        continue;
      }
      const since = this.#since.get(partition) ?? now;
      this.#since.set(partition, since);
      if (now - since < alarmMs || this.#alarmed.has(partition)) continue;
      this.#alarmed.add(partition);
      logger.error({ partition, alarmMs }, 'no projector owns the partition: its conferences stand still');
    }
  }
}

/** @throws the database's errors */
export async function isWritten(db: Queryable, generation: number): Promise<boolean> {
  const { rows } = await db.query<{ state: string }>('select state from public.generation where id = $1', [generation]);
  return WRITTEN.has(rows[0]?.state ?? '');
}
