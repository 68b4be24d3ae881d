// The embedded Postgres as the service starts it, durability included, in a temporary folder.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createPool, migrate, startEmbeddedPostgres } from '../../dist/libs/postgres/index.js';
import { projectorPool } from '../../dist/libs/projector/index.js';
import { generationMigrations, permanentMigrations } from '../../dist/migrations/index.js';

const nothing = () => undefined;
export const silent = { error: console.error, warn: nothing, info: nothing, debug: nothing };

export async function startDatabase() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'hallway-bench-'));
  fs.chmodSync(folder, 0o755);
  const server = await startEmbeddedPostgres({ dataDir: folder, logger: silent });
  await migrate({ url: server.url, migrations: permanentMigrations });
  const pools = [];
  const open = (schema, max = 4) => {
    const options = { url: server.url, applicationName: 'hallway bench', max, logger: silent };
    const pool = schema ? projectorPool({ ...options, schema }) : createPool(options);
    pools.push(pool);
    return pool;
  };
  return {
    url: server.url,
    pool: open(),
    open,
    /** The tables of a generation under a name of their own. */
    async generation(schema) {
      const pool = open(schema);
      await pool.query(`create schema ${schema}`);
      await migrate({ url: server.url, schema, migrations: generationMigrations });
      return pool;
    },
    async stop() {
      await Promise.all(pools.map((pool) => pool.end()));
      await server.stop();
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}
