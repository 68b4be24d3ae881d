/** What every role stands on: the database, the log, the journal. */
import type pg from 'pg';
import {
  createJournal,
  createPostgresKeys,
  createPostgresLog,
  type EventLog,
  type Journal,
  LOG_CHANNEL,
} from '#libs/event-log';
import { createPool, type Logger, listen, migrate, notifier, startEmbeddedPostgres } from '#libs/postgres';
import { permanentMigrations } from '../migrations/index.js';
import { catalog } from './conference/catalog.js';
import type { Config } from './config.js';

export interface Store {
  readonly url: string;
  readonly pool: pg.Pool;
  readonly log: EventLog;
  readonly journal: Journal;
  /** What the one who starts the service should read. */
  readonly notes: readonly string[];
  /** Resolves if the embedded database ends without being asked. */
  readonly died: Promise<unknown>;
  close(): Promise<void>;
}

/** Longer than any honest statement of the road; a hung connection must not stop a tail for ever. */
const STATEMENT_TIMEOUT_MS = 15_000;

export async function openStore(config: Config, logger: Logger): Promise<Store> {
  const embedded = config.DATABASE_URL
    ? undefined
    : await startEmbeddedPostgres({ dataDir: config.DATA_DIR, logger, purpose: config.publicUrl });
  const url = config.DATABASE_URL ?? embedded?.url ?? '';
  try {
    await migrate({ url, migrations: permanentMigrations });
    const pool = createPool({
      url,
      applicationName: 'hallway',
      logger,
      max: 10,
      statementTimeoutMs: STATEMENT_TIMEOUT_MS,
    });
    const wakers = new Set<() => void>();
    const wake = () => {
      for (const one of wakers) one();
    };
    const bell = notifier({ database: pool, channel: LOG_CHANNEL, logger });
    const alarm = listen({ url, channel: LOG_CHANNEL, onNotify: wake, onReady: wake, logger });
    const log = await createPostgresLog({
      pool,
      partitions: config.HALLWAY_PARTITIONS,
      logger,
      onNotify(one) {
        wakers.add(one);
        return () => wakers.delete(one);
      },
      notify() {
        wake(); // This process need not wait for the database to tell it.
        bell.notify();
      },
    });
    return {
      url,
      pool,
      log,
      journal: createJournal({ log, catalog, keys: createPostgresKeys(pool) }),
      notes: embedded?.notes ?? [],
      died: embedded?.died ?? new Promise(() => undefined),
      async close() {
        await log.close();
        await Promise.all([alarm.close(), bell.close()]);
        await pool.end();
        await embedded?.stop();
      },
    };
  } catch (error) {
    await embedded?.stop();
    throw error;
  }
}
