/** The checkpoint row: who may write a partition, and how far it is folded (I1). */
import { createHash } from 'node:crypto';
import type pg from 'pg';
import type { LogRecord } from '#libs/event-log';
import { type Queryable, quoteIdentifier } from '#libs/postgres';
import { Fenced, GenerationRetired } from './errors.js';

export interface Generation {
  readonly id: number;
  readonly version: string;
  readonly logIdentity: string;
  readonly state: 'building' | 'live' | 'retired';
  readonly schema: string;
}

/** A claim; every write proves it. */
export interface Ownership {
  readonly partition: number;
  readonly owner: string;
  readonly epoch: bigint;
}

/** What the last folded record was, to recognise the log by. */
export interface Fingerprint {
  readonly offset: bigint;
  readonly hash: string;
}

export interface Advance {
  readonly expected: bigint;
  readonly next: bigint;
  readonly fingerprint: Fingerprint | null;
  readonly missingKeys: number;
  /** Instant up to which the log is now known to be folded (I7); null leaves it. */
  readonly asOf: string | null;
}

export const LEASE = "interval '3 s'";
export const checkpointTable = (schema: string): string => `${quoteIdentifier(schema)}.projection_checkpoint`;

export function fingerprintOf(record: LogRecord): Fingerprint {
  const hash = createHash('sha256').update(JSON.stringify([record.key, record.timestamp, [...record.headers.keys()]]));
  for (const bytes of [...record.headers.values(), record.value ?? Buffer.alloc(0)]) hash.update(`${bytes.length}:`).update(bytes);
  return { offset: record.offset, hash: hash.digest('hex').slice(0, 32) };
}

/**
 * The compare-and-swap that begins every transaction of an owner; it also renews the lease.
 * @throws Fenced, GenerationRetired
 */
export async function advance(
  db: Queryable | pg.ClientBase,
  generation: Generation,
  { partition, owner, epoch }: Ownership,
  { expected, next, fingerprint, missingKeys, asOf }: Advance,
): Promise<void> {
  const { rowCount } = await db.query(
    `update ${checkpointTable(generation.schema)} c
        set next_offset = $5, lease_until = clock_timestamp() + ${LEASE},
            fingerprint = coalesce($6, c.fingerprint), fingerprint_offset = coalesce($7, c.fingerprint_offset),
            missing_keys = c.missing_keys + $8, as_of = greatest(c.as_of, $9::timestamptz)
       from public.generation g
      where c.partition = $1 and c.owner = $2 and c.owner_epoch = $3 and c.next_offset = $4
        and g.id = $10 and g.projection_version = $11 and g.state <> 'retired'`,
    [partition, owner, epoch, expected, next, fingerprint?.hash ?? null, fingerprint?.offset ?? null, missingKeys, asOf, generation.id, generation.version],
  );
  if (rowCount === 1) return;
  await assertUsable(db, generation);
  throw new Fenced(`partition ${partition} was claimed by another projector`);
}

/** @throws GenerationRetired */
export async function assertUsable(db: Queryable | pg.ClientBase, { id, version }: Generation): Promise<void> {
  const { rowCount } = await db.query(
    "select 1 from public.generation where id = $1 and projection_version = $2 and state <> 'retired'",
    [id, version],
  );
  if (rowCount === 0) throw new GenerationRetired(`generation ${id} is not written by this version of the projections`);
}
