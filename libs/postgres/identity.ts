import type { Queryable } from './pool.js';

/** The control file's timeline only follows at the checkpoint after a promotion; the name of the WAL file in use is exact. */
export const IDENTITY = `
  select system_identifier::text as system,
         case when pg_is_in_recovery() then (select timeline_id from pg_control_checkpoint())
              else ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int end as timeline
    from pg_control_system()`;

/**
 * `<system identifier>/<timeline>`: changes with another cluster, a restore to a point in time and a promotion, so
 * positions that were counted under one identity mean nothing under another.
 */
export async function databaseIdentity(database: Queryable): Promise<string> {
  const { rows } = await database.query<{ system: string; timeline: number }>(IDENTITY);
  const [row] = rows;
  if (!row) throw new Error('pg_control_system() answered nothing');
  return `${row.system}/${row.timeline}`;
}
