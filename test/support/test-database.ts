import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { createPool, migrate } from '#libs/postgres';
import { permanentMigrations } from '../../migrations/permanent/index.js';

export interface TestDatabase {
  /** Address of the database, for code that opens its own connections. */
  readonly url: string;
  readonly pool: pg.Pool;
  /** Closes the pool and removes the database, also under open connections. */
  drop(): Promise<void>;
}

/** Makes the suites of one run take turns around the template (parallel workers, or several at one server). */
const TURN = 7_246_311_002n;

/** A fresh database with the permanent tables; one per suite is the rule. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = process.env.TEST_DATABASE_URL;
  if (!server) throw new Error('this suite runs under the Jest projects "integration" and "e2e" only');
  const name = `t_${process.env.TEST_RUN_ID}_${randomBytes(6).toString('hex')}`;
  await onServer(server, async (client) => {
    const template = await ensureTemplate(client, server);
    await client.query(`create database ${name} template ${template} strategy = file_copy`);
  });
  const url = withDatabase(server, name);
  const pool = createPool({ url, applicationName: 'hallway test' });
  return {
    url,
    pool,
    async drop() {
      await pool.end();
      await onServer(server, (client) => client.query(`drop database ${name} with (force)`));
    },
  };
}

/** The migrated template of this run, made by whoever comes first. */
async function ensureTemplate(client: pg.Client, server: string): Promise<string> {
  const template = `tpl_${process.env.TEST_RUN_ID}`;
  await client.query('select pg_advisory_lock($1)', [TURN]);
  const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [template]);
  if (rowCount === 0) {
    const draft = `${template}_draft`;
    await client.query(`drop database if exists ${draft} with (force)`);
    await client.query(`create database ${draft}`);
    await migrate({ url: withDatabase(server, draft), migrations: permanentMigrations });
    // A connection's last moments would refuse the rename.
    await client.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [draft]);
    await client.query(`alter database ${draft} rename to ${template}`);
  }
  return template;
}

async function onServer(server: string, work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

function withDatabase(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}
