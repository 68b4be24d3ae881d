/** One holder among all processes: an advisory lock on a connection of its own, so that a killed holder leaves none behind. */
import type pg from 'pg';

export interface Lease {
  /** The connection has gone, and the lock with it. */
  lost(): boolean;
  release(): void;
}

/** @returns undefined: somebody else holds it. @param name of the lease, in this database */
export async function takeLease(pool: pg.Pool, name: string): Promise<Lease | undefined> {
  const connection = await pool.connect();
  let lost = false;
  connection.on('error', () => {
    lost = true;
  });
  try {
    const { rows } = await connection.query<{ got: boolean }>(
      'select pg_try_advisory_lock(hashtextextended($1, 0)) as got',
      [name],
    );
    if (rows[0]?.got) return { lost: () => lost, release: () => connection.release(true) };
    connection.release();
    return undefined;
  } catch (error) {
    connection.release(true);
    throw error;
  }
}
