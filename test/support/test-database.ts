import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { createPool, migrate } from '#libs/postgres';
import { permanentMigrations } from '../../migrations/permanent/index.js';

export interface TestDatabase {
  /** Address of the database, for code that opens its own connections. */
  readonly url: string;
  readonly pool: pg.Pool;
  /** Copies all of it aside, as a backup does; every connection is ended. */
  backUp(): Promise<Backup>;
  /** Closes the pool and removes the database, also under open connections. */
  drop(): Promise<void>;
}

export interface Backup {
  /**
   * Puts the copy in place of the database, under open connections, which end. A whole disk that is put back brings the same oids:
   * `unseen` makes what is compared equal to what is there, so that nothing but the contents tells of it.
   */
  restore(unseen?: 'unseen'): Promise<void>;
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
    backUp: () => backUp(server, name),
    async drop() {
      await pool.end();
      await onServer(server, (client) => client.query(`drop database ${name} with (force)`));
    },
  };
}

let backups = 0;

async function backUp(server: string, name: string): Promise<Backup> {
  const copy = `${name}_${++backups}`;
  await onServer(server, async (client) => {
    await client.query(`alter database ${name} allow_connections false`);
    // Waits for each to be gone: nothing may be connected to what is copied.
    await client.query('select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = $1', [name]);
    await client.query(`create database ${copy} template ${name} strategy = file_copy`);
    await client.query(`alter database ${name} allow_connections true`);
  });
  return {
    async restore(unseen) {
      if (unseen) await onServer(withDatabase(server, copy), (client) => client.query(AS_IF_THE_SAME));
      await onServer(server, async (client) => {
        await client.query(`drop database ${name} with (force)`);
        await client.query(`alter database ${copy} rename to ${name}`);
      });
    },
  };
}

const AS_IF_THE_SAME = `update feed_epoch set witnesses = witnesses || jsonb_build_object('database',
  (select oid::text from pg_database where datname = current_database()))`;

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
