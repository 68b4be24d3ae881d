/** What every role stands on: the database, the log, the journal. */
import type pg from 'pg';
import { createJournal, createPostgresKeys, type EventLog, type Journal } from '#libs/event-log';
import { createPool, type Logger, migrate, startEmbeddedPostgres } from '#libs/postgres';
import { permanentMigrations } from '../migrations/index.js';
import { catalog } from './conference/catalog.js';
import type { Config } from './config.js';
import { openLog } from './open-log.js';

export interface Database {
  readonly url: string;
  readonly pool: pg.Pool;
  /** What the one who starts the service should read. */
  readonly notes: readonly string[];
  /** Resolves if the embedded database ends without being asked. */
  readonly died: Promise<unknown>;
  close(): Promise<void>;
}

export interface Store extends Database {
  readonly log: EventLog;
  readonly journal: Journal;
}

/** Longer than any honest statement of the road; a hung connection must not stop a tail for ever. */
const STATEMENT_TIMEOUT_MS = 15_000;

/** @param toRead  nothing will be appended or followed */
export async function openStore(config: Config, logger: Logger, toRead = false): Promise<Store> {
  const database = await openDatabase(config, logger);
  const { url, pool } = database;
  try {
    const { log, close } = await openLog({ config, url, pool, logger, toRead });
    return {
      ...database,
      log,
      journal: createJournal({ log, catalog, keys: createPostgresKeys(pool) }),
      async close() {
        await close();
        await database.close();
      },
    };
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** The database with its permanent tables: the one that is configured, or the embedded one. */
export async function openDatabase(config: Config, logger: Logger): Promise<Database> {
  const embedded = config.DATABASE_URL
    ? undefined
    : await startEmbeddedPostgres({ dataDir: config.DATA_DIR, logger, purpose: config.publicUrl });
  const url = config.DATABASE_URL ?? embedded?.url ?? '';
  try {
    await migrate({ url, migrations: permanentMigrations });
  } catch (error) {
    await embedded?.stop();
    throw error;
  }
  const pool = createPool({
    url,
    applicationName: 'hallway',
    logger,
    max: 10,
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
  });
  return {
    url,
    pool,
    notes: embedded?.notes ?? [],
    died: embedded?.died ?? new Promise(() => undefined),
    async close() {
      await pool.end();
      await embedded?.stop();
    },
  };
}
