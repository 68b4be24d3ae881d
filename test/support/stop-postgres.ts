import fs from 'node:fs';
import type {} from './start-postgres.js';

/** Jest's global teardown: ends the run's own servers and removes their folders. */
export default async function stopPostgres(): Promise<void> {
  for (const server of [globalThis.hallwayTestKafka, globalThis.hallwayTestPostgres]) {
    if (!server) continue;
    const gone = new Promise((resolve) => server.child.once('exit', resolve));
    server.child.stdin?.end();
    await gone;
    fs.rmSync(server.folder, { recursive: true, force: true });
  }
}
