/** Whether this database is still the one that it was: restored from a dump, copied back, promoted or moved, it is another one. */
import type pg from 'pg';
import { IDENTITY } from './identity.js';
import { inTransaction, type Queryable } from './pool.js';

/** What tells one database from another; of what is null nothing is known. */
export type Witnesses = Readonly<Record<string, string | null>>;

export interface RestoreCheck {
  /** Part of the epoch. */
  readonly nonce: string;
  /** Witnesses that differ from those of the last check; none: it is the same database. */
  readonly seenBy: readonly string[];
}

/** A dump that is loaded makes tables, and mostly a database, of other oids. */
const OIDS = `
  select (select oid from pg_database where datname = current_database())::text as database,
         'public.log_head'::regclass::oid::text as "logHead"`;

async function witnessesNow(db: Queryable): Promise<Witnesses> {
  const oids = await db.query<{ database: string; logHead: string }>(OIDS);
  const identity = await db.query<{ system: string; timeline: number }>(IDENTITY);
  const { system = null, timeline } = identity.rows[0] ?? {};
  return { ...oids.rows[0], system, timeline: timeline === undefined ? null : String(timeline) };
}

/**
 * Compares the witnesses with those that were kept, and keeps them. If one differs, the epoch gets another nonce, and what may have been
 * taken back by the restore is no longer accepted: links that were not used yet, and organizers' tokens from before (`restoredAt`).
 * Several processes may check at the same moment; the first one notices.
 * @param files what is known of the database's files, where this process has them
 * @throws errors of the database
 */
export async function checkRestore(pool: pg.Pool, files: Witnesses = {}): Promise<RestoreCheck> {
  return inTransaction(pool, async (client) => {
    // Locked before it is compared: of two that see the same difference only one renews.
    const { rows } = await client.query<{ nonce: string; witnesses: Witnesses }>(
      'select nonce::text as nonce, witnesses from public.feed_epoch for update',
    );
    const [kept] = rows;
    if (!kept) throw new Error('feed_epoch has no row; it is made by the migrations');
    const now = { ...(await witnessesNow(client)), ...files };
    const known = Object.entries(now).filter(([, value]) => value !== null);
    const changed = known.filter(([name, value]) => kept.witnesses[name] !== value).map(([name]) => name);
    const seenBy = changed.filter((name) => (kept.witnesses[name] ?? null) !== null);
    if (changed.length > 0)
      await client.query('update public.feed_epoch set witnesses = witnesses || $1::jsonb', [
        JSON.stringify(Object.fromEntries(known)),
      ]);
    return { nonce: seenBy.length > 0 ? await renew(client, seenBy) : kept.nonce, seenBy };
  });
}

/**
 * For a restore that no witness shows, seen by its contents.
 * @param nonce of the epoch in which it was seen: others who saw the same have renewed it already
 */
export async function noticeRestore(pool: pg.Pool, nonce: string, seenBy: string): Promise<void> {
  await inTransaction(pool, async (client) => {
    const { rowCount } = await client.query('select from public.feed_epoch where nonce = $1 for update', [nonce]);
    if (rowCount === 1) await renew(client, [seenBy]);
  });
}

async function renew(client: Queryable, seenBy: readonly string[]): Promise<string> {
  await client.query('insert into public.restore_event (seen_by) values ($1)', [seenBy]);
  await client.query(
    'update public.one_time_link set expires_at = clock_timestamp() where used_at is null and expires_at > clock_timestamp()',
  );
  const { rows } = await client.query<{ nonce: string }>(
    'update public.feed_epoch set nonce = gen_random_uuid() returning nonce::text as nonce',
  );
  return rows[0]?.nonce ?? '';
}

/** When a restore was last noticed, milliseconds since 1970 by the database's clock; null: never. */
export async function restoredAt(db: Queryable): Promise<number | null> {
  const { rows } = await db.query<{ at: Date | null }>('select max(noticed_at) as at from public.restore_event');
  return rows[0]?.at?.getTime() ?? null;
}
