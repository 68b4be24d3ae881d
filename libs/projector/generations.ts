/**
 * Read models are never migrated by hand: other projections, or another log, build another generation by replaying the log, and switch.
 * Versions have an order: one that was superseded on this log never takes over by itself, whatever is restarted. An operator may ask for
 * it (generation-acts.ts).
 */
import { setTimeout as wait } from 'node:timers/promises';
import type pg from 'pg';
import type { EventCatalog, EventLog, Journal } from '#libs/event-log';
import { inDatabaseTurn, inTransaction, type Logger, type MigrationClass, migrate } from '#libs/postgres';
import { type Generation, readersName } from './checkpoint.js';
import { dropGeneration, GENERATION_TURN, make, record } from './generation-acts.js';
import { isWritten } from './generation-watch.js';
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
  /** This process alone has the database: whoever starts an earlier version on it means to go back. */
  readonly mayGoBack?: boolean;
  /** This version was superseded: nothing is projected until an operator asks for it. */
  readonly onSuperseded?: (reason: string) => void;
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
/** How often a process of a superseded version looks whether an operator asked for it. */
const IDLE_LOOK_MS = 1_000;
/** After a switch the projectors of the retired generation may still say how far they had read. */
const FORGET_AFTER_MS = 5_000;
/** Whose names are removed from the log's own tools; older ones were removed by earlier starts. */
const FORGOTTEN_AT_ONCE = 20;

/**
 * Finds or makes the generation of this projection version and log, projects into it, and resolves once it is live.
 * Several processes may build together: they share the partitions by the ordinary claims.
 * @throws KeysMissing
 */
export async function startProjecting(options: ProjectingOptions): Promise<Projecting> {
  const { log } = options;
  for (;;) {
    const started = start(options, await untilWanted(options, await log.identity()));
    try {
      if (await untilLive(options, started.generation)) return keptTidy(options, started);
    } catch (error) {
      await started.stop();
      throw error;
    }
    await started.stop();
  }
}

/** @returns once it reads; the log may be far from folded */
function start(options: ProjectingOptions, generation: Generation): Projecting {
  const { url, log, set, journal, catalog, owner, logger, topic, onCommit } = options;
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
  projector.start();
  return {
    generation,
    projector,
    pool,
    async stop() {
      await projector.stop();
      await pool.end();
    },
  };
}

/** Removes what the log's own tools show of retired generations, once their projectors have ended. */
function keptTidy(options: ProjectingOptions, projecting: Projecting): Projecting {
  const forgetting = setTimeout(() => void forgetRetired(options), FORGET_AFTER_MS).unref();
  return {
    ...projecting,
    async stop() {
      clearTimeout(forgetting);
      await projecting.stop();
    },
  };
}

/** Waits while this version is superseded. */
async function untilWanted(options: ProjectingOptions, logIdentity: string): Promise<Generation> {
  for (let isNews = true; ; isNews = false) {
    const found = await findOrMake(options, logIdentity);
    if (typeof found !== 'string') return found;
    if (isNews) {
      options.logger.error({ version: options.set.version }, found);
      options.onSuperseded?.(found);
    }
    await wait(IDLE_LOOK_MS);
  }
}

/** What the log's own tools show of generations that nobody reads for any more. */
async function forgetRetired({ pool, log, logger }: ProjectingOptions): Promise<void> {
  try {
    const { rows } = await pool.query<{ id: number }>(
      `select id from generation where state in ('retired', 'dropped') order by id desc limit ${FORGOTTEN_AT_ONCE}`,
    );
    await log.forgetReaders(rows.map(({ id }) => readersName(id)));
  } catch (err) {
    logger.warn({ err }, 'the groups of retired generations could not be removed');
  }
}

/** @returns why this version may not project now, or its generation */
async function findOrMake(options: ProjectingOptions, logIdentity: string): Promise<Generation | string> {
  const { pool, url, migrations, set, logger, mayGoBack = false } = options;
  return inDatabaseTurn(url, GENERATION_TURN, async () => {
    const { rows } = await pool.query<{ id: number; schema: string; state: string }>(
      `select id, schema_name as schema, state from generation where projection_version = $1 and log_identity = $2 order by id desc limit 1`,
      [set.version, logIdentity],
    );
    const [latest] = rows;
    const known = latest && ['building', 'live'].includes(latest.state) ? latest : undefined;
    const live = await liveGeneration(pool);
    if (latest && !known && live?.logIdentity === logIdentity && !mayGoBack) return superseded(latest, live);
    const { id, schema } = known ?? (await make(pool, set.version, logIdentity));
    if (!known) logger.info({ generation: id, version: set.version }, 'a new generation of read models is built');
    await migrate({ url, schema, migrations });
    return { id, schema, version: set.version, logIdentity };
  });
}

const superseded = (latest: { readonly id: number; readonly state: string }, live: Generation): string =>
  `this version was superseded: its generation ${latest.id} is ${latest.state}, generation ${live.id} is live; \`hallway generations\` lists and switches`;

/** @returns false: an operator has dropped or retired it before it was complete */
async function untilLive(options: ProjectingOptions, generation: Generation): Promise<boolean> {
  const { pool, logger, onProgress } = options;
  let last: bigint | undefined;
  for (;;) {
    if ((await liveGeneration(pool))?.id === generation.id) return true;
    if (!(await isWritten(pool, generation.id))) return false;
    const progress = await progressOf(options, generation).catch(async (error: unknown) => {
      // Its tables may have gone since the look.
      if (await isWritten(pool, generation.id)) throw error;
      return undefined;
    });
    if (!progress) return false;
    if (progress.done !== last) onProgress?.({ done: Number(progress.done), total: Number(progress.total) });
    if (progress.complete) {
      await switchTo(pool, generation);
      logger.info({ generation: generation.id }, 'the new generation is live');
      await dropOld(pool);
      return true;
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
    await client.query('select pg_advisory_xact_lock($1)', [GENERATION_TURN]);
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
    if (live) {
      await client.query(`update generation set state = 'retired', retired_at = clock_timestamp() where id = $1`, [
        live.id,
      ]);
      await record(client, live.id, 'retired', 'a projector');
    }
    await client.query(
      `update generation set state = 'live', switched_at = clock_timestamp(), retired_at = null where id = $1 and state = 'building'`,
      [generation.id],
    );
    await record(client, generation.id, 'switched', 'a projector');
  });
}

/** The one that was retired last is kept, to go back to; older ones leave only their row, for their version must stay known. */
async function dropOld(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<{ id: number }>(
    `select id from generation where state = 'retired' order by retired_at desc nulls last, id desc offset 1`,
  );
  for (const { id } of rows) await dropGeneration(pool, id, 'a projector');
}
