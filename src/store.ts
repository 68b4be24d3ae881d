/** What every role stands on: the database, the log, the journal. */
import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { createJournal, createPostgresKeys, type EventLog, type Journal } from '#libs/event-log';
import {
  assertSessions,
  checkRestore,
  createPool,
  FolderDamaged,
  isDiskFull,
  type Logger,
  migrate,
  PooledConnection,
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
  /** Resolves if the embedded database ends without being asked and cannot be started again. */
  readonly died: Promise<unknown>;
  /** Why the embedded database is away. */
  problem(): string | undefined;
  /** What is opened on top of it is added here, and closed before it. */
  readonly closers: Closers;
  /** @throws CloseFailed, after everything was tried */
  close(): Promise<void>;
}

export interface Store extends Database {
  readonly log: EventLog;
  readonly journal: Journal;
}

/** Longer than the server itself waits before it ends at once. */
const STOP_DATABASE_MS = 35_000;

const SPACE_EVERY_MS = 5_000;

const RESTORED =
  'this database was restored, copied or promoted: clients get everything again, unused links and older organizer tokens are void';

interface OpenOptions {
  /** Nothing will be appended or followed. */
  readonly toRead?: boolean;
  /** Called once, if the disk is full: then it is waited for space, and tried again. Default: it is refused. */
  readonly onDiskFull?: (problem: string) => void;
}

/** @throws ConfigError */
export async function openStore(
  config: Config,
  logger: Logger,
  { toRead = false, onDiskFull }: OpenOptions = {},
): Promise<Store> {
  const database = await openDatabase(config, logger, onDiskFull);
  const { url, pool, closers } = database;
  return orClose(closers, async () => {
    const log = await openLog({ config, url, pool, closers, logger, toRead });
    return { ...database, log, journal: createJournal({ log, catalog, keys: createPostgresKeys(pool) }) };
  });
}

/** The database with its permanent tables: the one that is configured, or the embedded one. @throws ConfigError */
export async function openDatabase(
  config: Config,
  logger: Logger,
  onDiskFull?: OpenOptions['onDiskFull'],
): Promise<Database> {
  let isSaid = false;
  for (;;) {
    try {
      return await open(config, logger);
    } catch (error) {
      if (!onDiskFull || !isDiskFull(error)) return inWords(error, config);
      const where = config.DATABASE_URL ? 'of the database' : `with ${config.DATA_DIR}`;
      if (!isSaid)
        onDiskFull(`the disk ${where} is full: make space; the start is tried again every ${SPACE_EVERY_MS / 1_000} s`);
      isSaid = true;
      await delay(SPACE_EVERY_MS);
    }
  }
}

async function open(config: Config, logger: Logger): Promise<Database> {
  const closers = new Closers(logger);
  return orClose(closers, async () => {
    const embedded = config.DATABASE_URL
      ? undefined
      : await startEmbeddedPostgres({ dataDir: config.DATA_DIR, logger, purpose: config.publicUrl });
    if (embedded) closers.add('embedded database', () => embedded.stop(), STOP_DATABASE_MS);
    const url = config.DATABASE_URL ?? embedded?.url ?? '';
    if (!embedded) await assertSessions(url);
    await migrate({ url, migrations: permanentMigrations });
    const pool = createPool({
      url,
      applicationName: 'hallway',
      logger,
      max: 10,
    });
    closers.add('pool of the store', () => pool.end());
    const { seenBy } = await checkRestore(pool, embedded?.witnesses);
    if (seenBy.length > 0) logger.warn({ seenBy }, RESTORED);
    return {
      url,
      pool,
      notes: embedded?.notes ?? [],
      died: embedded?.died ?? new Promise(() => undefined),
      problem: () => embedded?.problem(),
      closers,
      close: () => closers.close(),
    };
  });
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
  if (error instanceof PooledConnection) throw new ConfigError(`201 DATABASE_URL: ${error.message}`);
  if (error instanceof FolderDamaged) throw new ConfigError(`201 DATA_DIR: ${error.message}`);
  if (isDiskFull(error))
    throw new ConfigError(
      config.DATABASE_URL
        ? '201 DATABASE_URL: the disk of the database is full'
        : `201 DATA_DIR: the disk with ${config.DATA_DIR} is full`,
    );
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
