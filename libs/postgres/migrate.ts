import { DataSource, type MigrationInterface } from 'typeorm';
import { quoteIdentifier } from './sql.js';
import { inDatabaseTurn } from './turn.js';

/** A migration: a class whose name ends in 13 digits (the order), with `up` and `down` in hand-written SQL. */
export type MigrationClass = new () => MigrationInterface;

export interface MigrateOptions {
  readonly url: string;
  /** Schema that unqualified names mean; made when missing. Its own `migration` table remembers what ran. Default `public`. */
  readonly schema?: string;
  readonly migrations: readonly MigrationClass[];
  /** Longest wait for a table's lock before the migration gives up (nothing is half done). Default 10 000. */
  readonly lockTimeoutMs?: number;
}

/** All runs on one database take turns: two schemas may share tables of `public`. The number only has to be ours. */
const TURN = 7_246_311_001n;

/**
 * Runs what has not run yet, each migration in its own transaction. Processes that start at the same time take turns.
 * @returns names of the migrations that ran now
 * @throws the database's error; earlier migrations of the run stay
 */
export async function migrate(options: MigrateOptions): Promise<readonly string[]> {
  const schema = options.schema ?? 'public';
  // The turn is held by a connection of its own: TypeORM uses its pool as it likes.
  return inDatabaseTurn(options.url, TURN, async (client) => {
    await client.query(`create schema if not exists ${quoteIdentifier(schema)}`);
    return run(options, schema);
  });
}

async function run(options: MigrateOptions, schema: string): Promise<readonly string[]> {
  const searchPath = schema === 'public' ? 'public' : `${quoteIdentifier(schema)},public`;
  const source = new DataSource({
    type: 'postgres',
    url: options.url,
    schema,
    applicationName: 'hallway migrate',
    poolSize: 2,
    entities: [],
    migrations: [...options.migrations],
    migrationsTableName: 'migration',
    installExtensions: false,
    extra: { options: `-c search_path=${searchPath} -c lock_timeout=${options.lockTimeoutMs ?? 10_000}` },
  });
  await source.initialize();
  try {
    const done = await source.runMigrations({ transaction: 'each' });
    return done.map((migration) => migration.name);
  } finally {
    await source.destroy();
  }
}
