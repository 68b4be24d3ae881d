import type pg from 'pg';
import { defineLimit } from '#libs/limits';
import { inTwoTrips, type Logger, quoteIdentifier } from '#libs/postgres';
import { type Claim, compareAndSwap, type Generation, ownsIt } from './checkpoint.js';

/** I9: tombstones kept per channel; a cursor below the newest dropped one gets a snapshot. */
export const MAX_TOMBSTONES = 2_000;

const SWEEP = `
  with ranked as (
    select d.conference, d.channel, d.key, row_number() over (partition by d.conference, d.channel order by d.version desc) as place
    from feed_document d join feed_head h using (conference) where h.partition = $1 and d.body is null
  ), gone as (
    delete from feed_document d using ranked r
    where r.place > ${MAX_TOMBSTONES} and d.conference = r.conference and d.channel = r.channel and d.key = r.key
    returning d.conference, d.version
  )
  update feed_head h set floor = greatest(h.floor, g.newest)
  from (select conference, max(version) as newest from gone group by conference) g where h.conference = g.conference`;

/** I9: rows of history kept per conference. A cursor from before the oldest is not judged by history, only by contents. */
export const MAX_HISTORY = defineLimit({
  name: 'projection.history.rows',
  value: 2_048,
  unit: 'rows',
  beyond:
    'the oldest are dropped every 500 batches; a cursor from before them is judged by the sums of the beacons alone',
});

const SWEEP_HISTORY = `
  delete from feed_history p using feed_head h
  where h.partition = $1 and p.conference = h.conference and p.head <=
    (select head from feed_history n where n.conference = h.conference order by head desc offset ${MAX_HISTORY} limit 1)`;

/** Drops the oldest tombstones beyond the limit and raises the floor, as the owner of the partition. */
export async function sweepTombstones(pool: pg.Pool, generation: Generation, claimed: Claim): Promise<void> {
  await inTwoTrips(pool, {
    guard: compareAndSwap(generation, claimed, { next: claimed.next, fingerprint: null, missingKeys: 0 }),
    judge: (rowCount) => ownsIt(claimed, rowCount),
    statements: [SWEEP, SWEEP_HISTORY].map((text) => ({ text, values: [claimed.partition] })),
  });
}

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
