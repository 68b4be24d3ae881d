import fs from 'node:fs';
import type {} from './start-postgres.js';

/** Jest's global teardown: ends the run's own servers and removes their folders. */
export default async function stopPostgres(): Promise<void> {
  for (const server of [globalThis.hallwayTestKafka, globalThis.hallwayTestPostgres]) {
    if (!server) continue;
    const { child } = server;
    // One that has ended already says so no second time.
    if (child.exitCode === null && child.signalCode === null) {
      // It was let go so that a finished run can end; this end waits for it.
      child.ref();
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.stdin?.end();
      await gone;
    }
    fs.rmSync(server.folder, { recursive: true, force: true });
  }
}
