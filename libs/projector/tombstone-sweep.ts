/** I9: documents that are gone leave a tombstone, for those who were away; of these only a part is kept. */
import { VERSION_BUCKET_BITS } from '#libs/event-log';
import { defineLimit } from '#libs/limits';
import type { Logger, Queryable } from '#libs/postgres';

/** Tombstones kept per channel; a cursor below the newest dropped one gets a snapshot. */
export const MAX_TOMBSTONES = defineLimit({
  name: 'projection.tombstones',
  value: 2_000,
  unit: 'documents',
  beyond: 'the oldest is deleted; a cursor below it gets a snapshot',
});
/** Commits of a partition between two looks. */
const LOOK_EVERY = 500;
/** So that a statement holds its locks for some milliseconds only. */
export const MAX_DROPPED_AT_ONCE = defineLimit({
  name: 'projection.sweep.rows',
  value: 500,
  unit: 'rows',
  beyond: 'old tombstones and history beyond it are dropped by the next statement of the same sweep',
});

/** I9: rows of history kept per conference. A cursor from before the oldest is not judged by history, only by contents. */
export const MAX_HISTORY = defineLimit({
  name: 'projection.history.rows',
  value: 2_048,
  unit: 'rows',
  beyond:
    'the oldest are dropped every 500 batches; a cursor from before them is judged by the sums of the beacons alone',
});

/**
 * The oldest beyond the limit, of one conference of the partition. Whoever runs it, it is right: a document that came back meanwhile is
 * looked at again under its lock, and one that is being written is passed over. Documents before heads, like a batch: neither waits for
 * the other crosswise.
 */
const SWEEP = `
  with crowded as materialized (
    select d.conference, d.channel from feed_document d join feed_head h using (conference)
    where h.partition = $1 and d.is_tombstone group by 1, 2 having count(*) > $2 limit 1
  ), kept as materialized (
    select c.conference, c.channel, n.version as oldest from crowded c cross join lateral (
      select version from feed_document n where n.conference = c.conference and n.channel = c.channel and n.is_tombstone
      order by bucket desc, version desc offset $2 - 1 limit 1) n
  ), oldest as (
    select d.conference, d.channel, d.key from kept k join feed_document d using (conference, channel)
    where d.is_tombstone and d.bucket <= k.oldest >> ${VERSION_BUCKET_BITS} and d.version < k.oldest order by d.bucket, d.version limit $3 for update of d skip locked
  ), gone as (
    delete from feed_document d using oldest o
    where (d.conference, d.channel, d.key) = (o.conference, o.channel, o.key) and d.is_tombstone
    returning d.conference, d.version
  )
  update feed_head h set floor = greatest(h.floor, g.newest)
  from (select conference, max(version) as newest from gone group by conference) g where h.conference = g.conference`;

const SWEEP_HISTORY = `
  delete from feed_history p using (
    select o.conference, o.head from feed_head h cross join lateral (
      select conference, head from feed_history o where o.conference = h.conference and o.head <=
        (select head from feed_history n where n.conference = h.conference order by head desc offset $2 limit 1)
      order by head limit $3) o
    where h.partition = $1 limit $3) old
  where (p.conference, p.head) = (old.conference, old.head)`;

export interface TombstoneSweepOptions {
  readonly pool: Queryable;
  readonly logger: Logger;
}

/** Looks at a partition now and then, beside its batches: nothing waits for it, and its failures are its own. */
export class TombstoneSweep {
  readonly #commits = new Map<number, number>();
  /** One at a time: it takes one connection at most. */
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(private readonly options: TombstoneSweepOptions) {}

  committed(partition: number): void {
    const commits = (this.#commits.get(partition) ?? 0) + 1;
    this.#commits.set(partition, commits);
    if (commits < LOOK_EVERY || this.#running || this.#stopped) return;
    this.#commits.set(partition, 0);
    this.#running = this.sweep(partition)
      .catch((err: unknown) => this.options.logger.warn({ err, partition }, 'old tombstones were not dropped'))
      .finally(() => {
        this.#running = undefined;
      });
  }

  /** Drops all that is too much, in small statements. */
  async sweep(partition: number): Promise<void> {
    await this.#repeat(SWEEP, [partition, MAX_TOMBSTONES, MAX_DROPPED_AT_ONCE]);
    await this.#repeat(SWEEP_HISTORY, [partition, MAX_HISTORY, MAX_DROPPED_AT_ONCE]);
  }

  async #repeat(text: string, values: readonly number[]): Promise<void> {
    while (!this.#stopped) {
      const { rowCount } = await this.options.pool.query(text, [...values]);
      if (rowCount === 0) return;
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }
}
