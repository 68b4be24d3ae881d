import type pg from 'pg';
import { checkRestore, type Logger } from '#libs/postgres';

/** Partitions are claimed side by side: one check serves those of a second. */
const CHECKED_MS = 1_000;

/** Notices that the database behind the connections is not the one it was. */
export class RestoreWatch {
  #checking: Promise<void> | undefined;
  #checkedAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly pool: pg.Pool,
    private readonly logger: Logger,
  ) {}

  /** @throws errors of the database */
  async check(): Promise<void> {
    if (performance.now() - this.#checkedAt < CHECKED_MS) return;
    this.#checking ??= this.#check().finally(() => {
      this.#checking = undefined;
    });
    await this.#checking;
  }

  async #check(): Promise<void> {
    const { seenBy } = await checkRestore(this.pool);
    this.#checkedAt = performance.now();
    if (seenBy.length > 0)
      this.logger.warn({ seenBy }, 'another database is behind the connections; the epoch is renewed');
  }
}
