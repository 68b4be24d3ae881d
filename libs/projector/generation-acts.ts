/** What is done to generations, by projectors and by operators, each act with who did it. */
import type pg from 'pg';
import { inTransaction, type Queryable, quoteIdentifier } from '#libs/postgres';
import { liveGeneration } from './when-projected.js';

/** Generations are made and switched by one process at a time. The number only has to be ours. */
export const GENERATION_TURN = 7_246_311_003n;

export type GenerationState = 'building' | 'live' | 'retired' | 'dropped';

export interface GenerationInfo {
  readonly id: number;
  readonly version: string;
  readonly logIdentity: string;
  readonly state: GenerationState;
  readonly createdAt: Date;
  readonly switchedAt: Date | null;
  readonly retiredAt: Date | null;
  /** Offsets folded, over all partitions; null where its tables were dropped. */
  readonly folded: bigint | null;
}

/** The operator asked for what cannot be done. */
export class GenerationRefused extends Error {
  override readonly name = 'GenerationRefused';
}

/** Newest first. */
export async function listGenerations(db: Queryable): Promise<readonly GenerationInfo[]> {
  const { rows } = await db.query<Omit<GenerationInfo, 'folded'> & { readonly schema: string }>(
    `select id, projection_version as version, log_identity as "logIdentity", schema_name as schema, state, created_at as "createdAt",
            switched_at as "switchedAt", retired_at as "retiredAt"
     from generation order by id desc`,
  );
  return Promise.all(
    rows.map(async ({ schema, ...row }) => ({
      ...row,
      folded: row.state === 'dropped' ? null : await foldedOf(db, schema),
    })),
  );
}

async function foldedOf(db: Queryable, schema: string): Promise<bigint | null> {
  const table = `${quoteIdentifier(schema)}.projection_checkpoint`;
  const { rows: there } = await db.query<{ there: boolean }>('select to_regclass($1) is not null as there', [table]);
  if (!there[0]?.there) return null;
  const { rows } = await db.query<{ sum: string }>(`select coalesce(sum(next_offset), 0)::text as sum from ${table}`);
  return BigInt(rows[0]?.sum ?? 0);
}

/**
 * Asks for a version that was superseded: its processes catch up, or build it anew where its tables were dropped, and switch once it is
 * complete. Until then what is live stays live.
 * @returns the generation that will be switched to
 * @throws GenerationRefused
 */
export async function askForGeneration(pool: pg.Pool, id: number, by: string): Promise<number> {
  const { rows } = await pool.query<{ version: string; logIdentity: string; state: GenerationState }>(
    'select projection_version as version, log_identity as "logIdentity", state from generation where id = $1',
    [id],
  );
  const [wanted] = rows;
  if (!wanted) throw new GenerationRefused(`209 there is no generation ${id}`);
  const { version, logIdentity, state } = wanted;
  if (state === 'live') throw new GenerationRefused(`208 generation ${id} is live already`);
  if (state === 'building')
    throw new GenerationRefused(`208 generation ${id} is being built; it is switched to by itself once it is complete`);
  const live = await liveGeneration(pool);
  if (live && live.logIdentity !== logIdentity)
    throw new GenerationRefused(`208 generation ${id} was folded from another log than the live one`);
  if (state === 'dropped') return (await make(pool, version, logIdentity, by)).id;
  await inTransaction(pool, async (client) => {
    await client.query(`update generation set state = 'building' where id = $1 and state = 'retired'`, [id]);
    await record(client, id, 'asked for', by);
  });
  return id;
}

/** The one that was retired last. @throws GenerationRefused: there is none */
export async function generationBefore(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ id: number }>(
    `select id from generation where state = 'retired' order by retired_at desc nulls last, id desc limit 1`,
  );
  if (!rows[0]) throw new GenerationRefused('209 no retired generation was kept: there is nothing to go back to');
  return rows[0].id;
}

/** @param by who asked for it */
export async function make(
  pool: pg.Pool,
  version: string,
  logIdentity: string,
  by = 'a projector',
): Promise<{ id: number; schema: string }> {
  return inTransaction(pool, async (client) => {
    const { rows } = await client.query<{ id: number }>(
      `insert into generation (projection_version, log_identity, schema_name, state) values ($1, $2, gen_random_uuid()::text, 'building') returning id`,
      [version, logIdentity],
    );
    const id = rows[0]?.id ?? 0;
    const schema = `g${id}`;
    await client.query('update generation set schema_name = $2 where id = $1', [id, schema]);
    await client.query(`create schema ${schema}`);
    await record(client, id, 'made', by);
    return { id, schema };
  });
}

/** The audit of what was done to a generation. */
export async function record(db: Queryable, generation: number, act: string, by: string): Promise<void> {
  await db.query('insert into public.generation_act (generation, act, by_actor) values ($1, $2, $3)', [
    generation,
    act,
    by,
  ]);
}

/** Its tables go, its row stays. It must not be live. */
export async function dropGeneration(pool: pg.Pool, id: number, by: string): Promise<void> {
  await inTransaction(pool, async (client) => {
    const { rows } = await client.query<{ schema: string }>(
      `update generation set state = 'dropped', retired_at = coalesce(retired_at, clock_timestamp())
       where id = $1 and state in ('building', 'retired') returning schema_name as schema`,
      [id],
    );
    const [dropped] = rows;
    if (!dropped) return;
    await client.query(`drop schema if exists ${quoteIdentifier(dropped.schema)} cascade`);
    await record(client, id, 'dropped', by);
  });
}
