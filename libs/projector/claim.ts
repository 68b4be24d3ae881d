/** Taking and giving up a partition (I1): short transactions; no lock is held between batches. */
import type pg from 'pg';
import type { EventLog } from '#libs/event-log';
import { inTransaction, sqlState } from '#libs/postgres';
import { assertUsable, checkpointTable, fingerprintOf, type Generation, LEASE, type Ownership } from './checkpoint.js';
import { LogMismatch } from './errors.js';

export interface Claim {
  readonly ownership: Ownership;
  readonly next: bigint;
}

interface CheckpointRow {
  readonly owner_epoch: string;
  readonly next_offset: string;
  readonly fingerprint: string | null;
  readonly fingerprint_offset: string | null;
}

export interface ClaimRequest {
  readonly pool: pg.Pool;
  readonly log: EventLog;
  readonly generation: Generation;
  readonly partition: number;
  readonly owner: string;
}

/**
 * @returns null while another owner's lease lives
 * @throws GenerationRetired, LogMismatch (the claim is given up)
 */
export async function claim(request: ClaimRequest): Promise<Claim | null> {
  const { pool, generation, partition, owner } = request;
  const row = await inTransaction(pool, (client) => take(client, request)).catch((error) => {
    // A paused owner sits in its transaction; the server ends it within 5 s, and the partition is offered again.
    if (sqlState(error) === '55P03') return undefined;
    throw error;
  });
  if (!row) return null;
  const ownership: Ownership = { partition, owner, epoch: BigInt(row.owner_epoch) };
  try {
    await verify(request, row);
  } catch (error) {
    await release(pool, generation, ownership);
    throw error;
  }
  return { ownership, next: BigInt(row.next_offset) };
}

async function take(
  client: pg.PoolClient,
  { generation, partition, owner }: ClaimRequest,
): Promise<CheckpointRow | undefined> {
  const table = checkpointTable(generation.schema);
  await client.query("set local lock_timeout = '1s'");
  await assertUsable(client, generation);
  await client.query(`insert into ${table} (partition) values ($1) on conflict do nothing`, [partition]);
  const { rows } = await client.query<CheckpointRow>(
    `update ${table} set owner = $2, owner_epoch = owner_epoch + 1, lease_until = clock_timestamp() + ${LEASE}
      where partition = $1 and (lease_until < clock_timestamp() or owner = $2)
      returning owner_epoch, next_offset, fingerprint, fingerprint_offset`,
    [partition, owner],
  );
  return rows[0];
}

/** The log must still be the one that was folded: same identity, same last record, and nothing missing between. */
async function verify({ log, generation, partition }: ClaimRequest, row: CheckpointRow): Promise<void> {
  const next = BigInt(row.next_offset);
  const refuse = (why: string) =>
    new LogMismatch(`partition ${partition} is folded up to offset ${next}, but ${why}; it is not projected any further`);
  if ((await log.identity()) !== generation.logIdentity) throw refuse('the log is another one');
  const { low, high } = await log.watermarks(partition);
  if (next > high) throw refuse(`the log ends at ${high}`);
  if (next < low) throw refuse(`the log begins at ${low}`);
  if (row.fingerprint === null || row.fingerprint_offset === null) return;
  const at = BigInt(row.fingerprint_offset);
  if (at < low) return; // Dropped by retention after it was folded: nothing is left to compare.
  const record = (await log.read(partition, at, 1)).records.find(({ offset }) => offset === at);
  if (!record || fingerprintOf(record).hash !== row.fingerprint) throw refuse(`the record at ${at} is not the one it saw`);
}

/** Ends the lease at once, if it is still this claim's. */
export async function release(pool: pg.Pool, { schema }: Generation, { partition, owner, epoch }: Ownership): Promise<void> {
  await pool.query(
    `update ${checkpointTable(schema)} set lease_until = clock_timestamp(), owner = null
      where partition = $1 and owner = $2 and owner_epoch = $3`,
    [partition, owner, epoch],
  );
}
