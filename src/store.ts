/** What every role stands on: the database, the log, the journal. */
import type pg from 'pg';
import { createJournal, createPostgresKeys, type EventLog, type Journal } from '#libs/event-log';
import {
  checkRestore,
  createPool,
  DiskFull,
  FolderDamaged,
  type Logger,
  migrate,
  startEmbeddedPostgres,
} from '#libs/postgres';
import { permanentMigrations } from '../migrations/index.js';
import { Closers } from './closers.js';
import { catalog } from './conference/catalog.js';
import { type Config, ConfigError } from './config.js';
import { openLog } from './open-log.js';

export interface Database {
  readonly url: string;
  readonly pool: pg.Pool;
  /** What the one who starts the service should read. */
  readonly notes: readonly string[];
  /** Resolves if the embedded database ends without being asked. */
  readonly died: Promise<unknown>;
  /** What is opened on top of it is added here, and closed before it. */
  readonly closers: Closers;
  /** @throws CloseFailed, after everything was tried */
  close(): Promise<void>;
}

export interface Store extends Database {
  readonly log: EventLog;
  readonly journal: Journal;
}

/** Longer than any honest statement of the road; a hung connection must not stop a tail for ever. */
const STATEMENT_TIMEOUT_MS = 15_000;
/** Longer than the server itself waits before it ends at once. */
const STOP_DATABASE_MS = 35_000;

const RESTORED =
  'this database was restored, copied or promoted: clients get everything again, unused links and older organizer tokens are void';

/** @param toRead  nothing will be appended or followed */
export async function openStore(config: Config, logger: Logger, toRead = false): Promise<Store> {
  const database = await openDatabase(config, logger);
  const { url, pool, closers } = database;
  return orClose(closers, async () => {
    const log = await openLog({ config, url, pool, closers, logger, toRead });
    return { ...database, log, journal: createJournal({ log, catalog, keys: createPostgresKeys(pool) }) };
  });
}

/** The database with its permanent tables: the one that is configured, or the embedded one. */
export async function openDatabase(config: Config, logger: Logger): Promise<Database> {
  const closers = new Closers(logger);
  return orClose(closers, async () => {
    const embedded = config.DATABASE_URL
      ? undefined
      : await startEmbeddedPostgres({ dataDir: config.DATA_DIR, logger, purpose: config.publicUrl });
    if (embedded) closers.add('embedded database', () => embedded.stop(), STOP_DATABASE_MS);
    const url = config.DATABASE_URL ?? embedded?.url ?? '';
    await migrate({ url, migrations: permanentMigrations });
    const pool = createPool({
      url,
      applicationName: 'hallway',
      logger,
      max: 10,
      statementTimeoutMs: STATEMENT_TIMEOUT_MS,
    });
    closers.add('pool of the store', () => pool.end());
    const { seenBy } = await checkRestore(pool, embedded?.witnesses);
    if (seenBy.length > 0) logger.warn({ seenBy }, RESTORED);
    return {
      url,
      pool,
      notes: embedded?.notes ?? [],
      died: embedded?.died ?? new Promise(() => undefined),
      closers,
      close: () => closers.close(),
    };
  }).catch((error: unknown) => inWords(error, config));
}

/** What was opened before a failure is closed; the failure is the news. */
async function orClose<T>(closers: Closers, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    await closers.close().catch(() => undefined); // Logged.
    throw error;
  }
}

/** No such database, no such user, a wrong password. */
const NOT_LET_IN = new Set(['3D000', '28000', '28P01']);

/** @throws ConfigError for what whoever started this can mend, else the error itself */
function inWords(error: unknown, config: Config): never {
  if (error instanceof FolderDamaged || error instanceof DiskFull)
    throw new ConfigError(`201 DATA_DIR: ${error.message}`);
  const { code, syscall, address } = (
    error instanceof AggregateError ? error.errors[0] : error
  ) as NodeJS.ErrnoException & {
    readonly address?: string;
  };
  if (address || syscall === 'getaddrinfo')
    throw new ConfigError(`201 DATABASE_URL: the database cannot be reached (${code})`);
  if (code && NOT_LET_IN.has(code)) throw new ConfigError(`201 DATABASE_URL: ${(error as Error).message}`);
  if (syscall) throw new ConfigError(`201 DATA_DIR: the folder cannot be used (${code})`);
  // internal_error and its kin (corrupted data), system_error (a file that is gone).
  if (/^(XX|58)...$/.test(code ?? ''))
    throw new ConfigError(
      `201 ${config.DATABASE_URL ? 'DATABASE_URL' : 'DATA_DIR'}: the database is damaged (${code}: ${(error as Error).message}): restore it from a backup`,
    );
  throw error;
}
