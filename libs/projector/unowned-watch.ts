/** Partitions that no projector owns, as each projector of the generation sees it: what is appended to them waits. */
import type { Logger, Queryable } from '#libs/postgres';

/** Longer than a takeover (a lease of 3 s, then a claim): a partition without an owner for so long is an alarm. */
export const UNOWNED_ALARM_MS = 15_000;
const LOOK_EVERY_MS = 2_000;

export interface UnownedWatchOptions {
  readonly db: Queryable;
  readonly partitions: number;
  readonly logger: Logger;
  /** Default `UNOWNED_ALARM_MS`. */
  readonly alarmMs?: number;
  readonly lookEveryMs?: number;
}

export class UnownedWatch {
  /** Partition to the monotonic milliseconds since when it was seen without an owner. */
  readonly #since = new Map<number, number>();
  readonly #alarmed = new Set<number>();
  #timer: NodeJS.Timeout | undefined;
  #looking = false;

  constructor(private readonly options: UnownedWatchOptions) {}

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
      const { rows } = await this.options.db.query<{ partition: number }>(
        'select partition from projection_checkpoint where lease_until > clock_timestamp()',
      );
      this.#judge(new Set(rows.map(({ partition }) => partition)));
    } catch (err) {
      this.options.logger.debug({ err }, 'the owners of the partitions were not read');
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
