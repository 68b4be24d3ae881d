/** I1: who may write a partition of a generation. Every write begins by comparing (owner_epoch, next_offset) and setting the next. */
import { createHash } from 'node:crypto';
import type { LogRecord } from '#libs/event-log';
import { type Queryable, quoteLiteral } from '#libs/postgres';

/** Longer than a batch and a pause of the collector, shorter than what a screen may take for being late (I7). */
export const LEASE_SECONDS = 3;

export interface Generation {
  readonly id: number;
  readonly schema: string;
  readonly version: string;
  readonly logIdentity: string;
}

/** Under which the log's own tools show how far a generation was read. */
export const readersName = (generation: number): string => `projector-${generation}`;

export interface Claim {
  readonly partition: number;
  readonly ownerEpoch: string;
  next: bigint;
  readonly fingerprint: Buffer | null;
  /** D2: SQLSTATE with which the database refused one command after the other; null once the checkpoint has moved. */
  halted: string | null;
}

/** Another owner has this partition, or the generation is no longer ours to write. Nothing was written. */
export class Fenced extends Error {
  override readonly name = 'Fenced';
}

/** Checkpoint and log do not belong together: truncated, recreated or another log. Never healed by a jump. */
export class LogMismatch extends Error {
  override readonly name = 'LogMismatch';
}

/**
 * null while another's lease lives. Once it has run out, the other, should it still run, is fenced by the new epoch. A row that is
 * locked is being written: nobody waits for it, else a batch that hangs would hold up those who claim other partitions.
 */
export async function claim(db: Queryable, partition: number, owner: string): Promise<Claim | null> {
  await db.query('insert into projection_checkpoint (partition) values ($1) on conflict do nothing', [partition]);
  const { rows } = await db.query<{
    owner_epoch: string;
    next_offset: string;
    fingerprint: Buffer | null;
    halted: string | null;
  }>(
    `update projection_checkpoint
     set owner = $2, owner_epoch = owner_epoch + 1, lease_until = clock_timestamp() + make_interval(secs => ${LEASE_SECONDS})
     where partition = (
       select partition from projection_checkpoint
       where partition = $1 and (owner = $2 or lease_until < clock_timestamp()) for update skip locked)
     returning owner_epoch, next_offset, fingerprint, halted`,
    [partition, owner],
  );
  const row = rows[0];
  return row
    ? {
        partition,
        ownerEpoch: row.owner_epoch,
        next: BigInt(row.next_offset),
        fingerprint: row.fingerprint,
        halted: row.halted,
      }
    : null;
}

/** Kept for the processes after this one: a restart must not begin to park anew. */
export async function halt(db: Queryable, claimed: Claim, state: string): Promise<void> {
  await db.query('update projection_checkpoint set halted = $3 where partition = $1 and owner_epoch = $2', [
    claimed.partition,
    claimed.ownerEpoch,
    state,
  ]);
  claimed.halted = state;
}

export interface Advance {
  readonly next: bigint;
  readonly fingerprint: Buffer | null;
  readonly missingKeys: number;
}

/** First statement of every transaction that writes; `ownsIt` judges its answer. Without parameters: it travels with the begin. */
export function compareAndSwap(generation: Generation, claimed: Claim, to: Advance): string {
  const { partition, ownerEpoch, next } = claimed;
  const fingerprint = to.fingerprint ? `'\\x${to.fingerprint.toString('hex')}'::bytea` : 'fingerprint';
  return `update projection_checkpoint
     set next_offset = ${to.next}, fingerprint = ${fingerprint}, missing_keys = missing_keys + ${to.missingKeys}, halted = null,
         lease_until = clock_timestamp() + make_interval(secs => ${LEASE_SECONDS})
     where partition = ${partition} and owner_epoch = ${BigInt(ownerEpoch)} and next_offset = ${next} and exists
       (select from public.generation where id = ${generation.id} and projection_version = ${quoteLiteral(generation.version)} and state in ('building', 'live'))`;
}

/** @throws Fenced */
export function ownsIt({ partition }: Claim, rowCount: number | null): void {
  if (rowCount !== 1) throw new Fenced(`partition ${partition} has another owner`);
}

/**
 * Between batches, so that the checkpoint stands where this owner left it: if not, a database was put back under it, and the epoch of the
 * owner with it. What it would read next may be far ahead of what there is, and nothing would be folded until then.
 *
 * Renews the lease; writes `as_of` where the log was folded to `high`, which was read after `asOf` was taken (I7).
 */
export async function beat(db: Queryable, claimed: Claim, asOf: Date | string, high: bigint): Promise<boolean> {
  const { rowCount } = await db.query(
    `update projection_checkpoint
     set lease_until = clock_timestamp() + make_interval(secs => ${LEASE_SECONDS}), as_of = case when next_offset >= $3 then $4 else as_of end
     where partition = $1 and owner_epoch = $2 and next_offset = $5`,
    [claimed.partition, claimed.ownerEpoch, high.toString(), asOf, claimed.next.toString()],
  );
  return rowCount === 1;
}

/** Renews the lease alone, beside a batch that takes long. It waits for no lock: a transaction that holds the row renews the lease itself. */
export async function extend(db: Queryable, claimed: Claim): Promise<void> {
  await db.query(
    `update projection_checkpoint set lease_until = clock_timestamp() + make_interval(secs => ${LEASE_SECONDS})
     where partition = (
       select partition from projection_checkpoint where partition = $1 and owner_epoch = $2 for update skip locked)`,
    [claimed.partition, claimed.ownerEpoch],
  );
}

/** On a clean stop: the next owner need not wait for the lease's end. */
export async function giveUp(db: Queryable, claimed: Claim): Promise<void> {
  await db.query(
    `update projection_checkpoint set lease_until = '-infinity', owner = null where partition = $1 and owner_epoch = $2`,
    [claimed.partition, claimed.ownerEpoch],
  );
}

export function fingerprintOf(record: LogRecord): Buffer {
  const hash = createHash('sha256').update(`${record.offset}\n${record.key}\n`);
  hash.update(record.headers.get('ce_id') ?? '').update(record.value ?? '');
  return hash.digest();
}
