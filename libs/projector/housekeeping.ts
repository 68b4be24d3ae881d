import type pg from 'pg';
import { inTwoTrips } from '#libs/postgres';
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

/** Drops the oldest tombstones beyond the limit and raises the floor, as the owner of the partition. */
export async function sweepTombstones(pool: pg.Pool, generation: Generation, claimed: Claim): Promise<void> {
  await inTwoTrips(pool, {
    guard: compareAndSwap(generation, claimed, { next: claimed.next, fingerprint: null, missingKeys: 0 }),
    judge: (rowCount) => ownsIt(claimed, rowCount),
    statements: [{ text: SWEEP, values: [claimed.partition] }],
  });
}
