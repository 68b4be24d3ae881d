/** Read models are never migrated by hand: other projections, or another log, build another generation by replaying the log, and switch. */
import { setTimeout as wait } from 'node:timers/promises';
import type pg from 'pg';
import type { EventCatalog, EventLog, Journal } from '#libs/event-log';
import { inDatabaseTurn, inTransaction, type Logger, type MigrationClass, migrate } from '#libs/postgres';
import type { Generation } from './checkpoint.js';
import { projectorPool } from './pool.js';
import type { ProjectionSet } from './projection.js';
import { createProjector, type Projector } from './projector.js';
import { liveGeneration } from './when-projected.js';

export interface ProjectingOptions {
  readonly url: string;
  /** On the permanent schema. */
  readonly pool: pg.Pool;
  readonly migrations: readonly MigrationClass[];
  readonly log: EventLog;
  readonly journal: Journal;
  readonly set: ProjectionSet;
  readonly catalog: EventCatalog;
  readonly owner: string;
  readonly logger: Logger;
  /** Topic of the log, named by dead letters and traces. */
  readonly topic?: string;
  readonly onCommit?: () => void;
  /** While a generation is built; `done` and `total` are events. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}

export interface Projecting {
  readonly generation: Generation;
  readonly projector: Projector;
  /** Its connections. */
  readonly pool: pg.Pool;
  stop(): Promise<void>;
}

/** A build read more sealed fields without a key than the live one: switching would hide texts that are still to be seen. */
export class KeysMissing extends Error {
  override readonly name = 'KeysMissing';
}

const LOOK_MS = 50;
const TURN = 7_246_311_003n;

/**
 * Finds or makes the generation of this projection version and log, projects into it, and resolves once it is live.
 * Several processes may build together: they share the partitions by the ordinary claims.
 * @throws KeysMissing
 */
export async function startProjecting(options: ProjectingOptions): Promise<Projecting> {
  const { url, log, set, journal, catalog, owner, logger, topic, onCommit } = options;
  const generation = await findOrMake(options, await log.identity());
  const pool = projectorPool({
    url,
    applicationName: 'hallway projector',
    schema: generation.schema,
    logger,
    max: Math.min(log.partitions + 2, 10),
  });
  const projector = createProjector({
    pool,
    log,
    journal,
    set,
    catalog,
    generation,
    owner,
    logger,
    ...(topic ? { topic } : {}),
    ...(onCommit ? { onCommit } : {}),
  });
  const stop = async () => {
    await projector.stop();
    await pool.end();
  };
  projector.start();
  try {
    await untilLive(options, generation);
  } catch (error) {
    await stop();
    throw error;
  }
  return { generation, projector, pool, stop };
}

async function findOrMake(
  { pool, url, migrations, set, logger }: ProjectingOptions,
  logIdentity: string,
): Promise<Generation> {
  return inDatabaseTurn(url, TURN, async () => {
    const { rows } = await pool.query<{ id: number; schema: string }>(
      `select id, schema_name as schema from generation where projection_version = $1 and log_identity = $2 and state <> 'retired' order by id desc limit 1`,
      [set.version, logIdentity],
    );
    const known = rows[0];
    const made = known ?? (await make(pool, set.version, logIdentity));
    if (!known) logger.info({ generation: made.id, version: set.version }, 'a new generation of read models is built');
    await migrate({ url, schema: made.schema, migrations });
    return { ...made, version: set.version, logIdentity };
  });
}

async function make(pool: pg.Pool, version: string, logIdentity: string): Promise<{ id: number; schema: string }> {
  return inTransaction(pool, async (client) => {
    const { rows } = await client.query<{ id: number }>(
      `insert into generation (projection_version, log_identity, schema_name, state) values ($1, $2, gen_random_uuid()::text, 'building') returning id`,
      [version, logIdentity],
    );
    const id = rows[0]?.id ?? 0;
    const schema = `g${id}`;
    await client.query('update generation set schema_name = $2 where id = $1', [id, schema]);
    await client.query(`create schema ${schema}`);
    return { id, schema };
  });
}

async function untilLive(options: ProjectingOptions, generation: Generation): Promise<void> {
  const { pool, logger, onProgress } = options;
  let last: bigint | undefined;
  for (;;) {
    if ((await liveGeneration(pool))?.id === generation.id) return;
    const progress = await progressOf(options, generation);
    if (progress.done !== last) onProgress?.({ done: Number(progress.done), total: Number(progress.total) });
    if (progress.complete) {
      await switchTo(pool, generation);
      logger.info({ generation: generation.id }, 'the new generation is live');
      await dropOld(pool);
      return;
    }
    await wait(last === undefined ? 5 : LOOK_MS);
    last = progress.done;
  }
}

async function progressOf({ pool, log }: ProjectingOptions, generation: Generation) {
  const marks = await Promise.all(Array.from({ length: log.partitions }, (_, partition) => log.watermarks(partition)));
  const { rows } = await pool.query<{ partition: number; next_offset: string }>(
    `select partition, next_offset from ${generation.schema}.projection_checkpoint`,
  );
  const next = new Map(rows.map((row) => [row.partition, BigInt(row.next_offset)]));
  const sum = (values: readonly bigint[]): bigint => values.reduce((total, value) => total + value, 0n);
  return {
    done: sum([...next.values()]),
    total: sum(marks.map(({ high }) => high)),
    complete: marks.every(({ high }, partition) => (next.get(partition) ?? 0n) >= high),
  };
}

async function switchTo(pool: pg.Pool, generation: Generation): Promise<void> {
  await inTransaction(pool, async (client) => {
    await client.query('select pg_advisory_xact_lock($1)', [TURN]);
    const live = await liveGeneration(client);
    if (live?.id === generation.id) return;
    const missing = async (schema: string) =>
      Number(
        (await client.query<{ sum: string | null }>(`select sum(missing_keys) from ${schema}.projection_checkpoint`))
          .rows[0]?.sum ?? 0,
      );
    if (
      live &&
      live.logIdentity === generation.logIdentity &&
      (await missing(generation.schema)) > (await missing(live.schema))
    ) {
      throw new KeysMissing(
        'the new build found fewer keys of sealed fields than the live one has; restore subject_key, then start again',
      );
    }
    await client.query(`update generation set state = 'retired' where state = 'live'`);
    await client.query(
      `update generation set state = 'live', switched_at = clock_timestamp() where id = $1 and state = 'building'`,
      [generation.id],
    );
  });
}

/** One retired generation is kept to look at; older ones go. */
async function dropOld(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<{ id: number; schema_name: string }>(
    `select id, schema_name from generation where state = 'retired' order by id desc offset 1`,
  );
  for (const { id, schema_name } of rows) {
    await pool.query(`drop schema if exists ${schema_name} cascade`);
    await pool.query('delete from generation where id = $1', [id]);
  }
}
