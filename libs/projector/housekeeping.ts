import type pg from 'pg';
import { type Logger, quoteIdentifier } from '#libs/postgres';
import type { Generation } from './checkpoint.js';

const FIRST_EVENTS = 250;
const TIMES = 4;

/**
 * Tables of a new generation grow from nothing in seconds, and the database looks at them once a minute. Until then it takes any index
 * that begins with the conference for as good as the right one, and reads a whole conference for each row (bench/projection.mjs).
 */
export class Statistics {
  private events = 0;
  private due = FIRST_EVENTS;

  constructor(
    private readonly pool: pg.Pool,
    private readonly generation: Generation,
    private readonly logger: Logger,
  ) {}

  /** So many events more were folded. Beside the writing, which need not wait for it. */
  grew(events: number): void {
    this.events += events;
    if (this.events < this.due) return;
    while (this.due <= this.events) this.due *= TIMES;
    this.refresh().catch((err: unknown) => this.logger.debug({ err }, 'statistics were not refreshed'));
  }

  private async refresh(): Promise<void> {
    const { schema } = this.generation;
    const { rows } = await this.pool.query<{ name: string }>(
      'select tablename as name from pg_tables where schemaname = $1',
      [schema],
    );
    const tables = rows.map(({ name }) => `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`);
    if (tables.length > 0) await this.pool.query(`analyze ${tables.join(', ')}`);
  }
}
