import fs from 'node:fs';
import type {} from './start-postgres.js';

/** Jest's global teardown: ends the run's own Postgres, if it has one, and removes its folder. */
export default async function stopPostgres(): Promise<void> {
  const postgres = globalThis.hallwayTestPostgres;
  if (!postgres) return;
  const gone = new Promise((resolve) => postgres.child.once('exit', resolve));
  postgres.child.stdin?.end();
  await gone;
  fs.rmSync(postgres.folder, { recursive: true, force: true });
}
