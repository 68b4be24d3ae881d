// A read model built anew from the embedded log, as a new version of the projections does it, beside COPY of the tables it ends in.
import { cpus } from 'node:os';
import { createPostgresLog } from '../dist/libs/event-log/index.js';
import { startProjecting } from '../dist/libs/projector/index.js';
import { generationMigrations } from '../dist/migrations/index.js';
import { catalog } from '../dist/src/conference/catalog.js';
import { projectionSet } from '../dist/src/conference/projection-set.js';
import { silent, startDatabase } from './lib/database.mjs';
import { liveHour } from './lib/live-hour.mjs';

export async function rebuild({ events = 20_000 } = {}) {
  const database = await startDatabase();
  const log = await createPostgresLog({ pool: database.pool, partitions: 1, logger: silent });
  const { journal } = await liveHour(events, { log });
  const at = performance.now();
  const parts = { url: database.url, pool: database.pool, migrations: generationMigrations, log, journal, catalog, logger: silent, owner: 'bench' };
  const { generation, stop } = await startProjecting({ ...parts, set: projectionSet('bench') });
  const built = (performance.now() - at) / 1_000;
  await stop();
  await database.generation('copied');
  const { rows: tables } = await database.pool.query(`select relname as name from pg_class c join pg_namespace n on n.oid = relnamespace where nspname = $1 and relkind = 'r' and relname <> 'migration' and reltuples <> 0`, [generation.schema]);
  const { rows: [{ folder }] } = await database.pool.query(`select current_setting('data_directory') as folder`);
  let rows = 0;
  let copied = 0;
  for (const { name } of tables) {
    const { rowCount } = await database.pool.query(`copy ${generation.schema}.${name} to '${folder}/bench-${name}'`);
    const from = performance.now();
    await database.pool.query(`truncate copied.${name}; copy copied.${name} from '${folder}/bench-${name}'`);
    copied += (performance.now() - from) / 1_000;
    rows += rowCount;
  }
  await log.close();
  await database.stop();
  return { events, rows, built, copied, cores: cpus().length };
}

if (process.argv[1] === import.meta.filename) {
  const { events, rows, built, copied } = await rebuild({ events: Number(process.argv[2] ?? 20_000) });
  console.log(`${events} events → ${rows} rows: rebuilt in ${built.toFixed(1)} s (${(events / built).toFixed(0)} events/s), COPY of the rows ${copied.toFixed(2)} s, ratio ${(copied / built).toFixed(2)}`);
  process.exit();
}
