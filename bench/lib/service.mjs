// The built service as a process of its own, on a database of its own, with a conference that is open; and a way past its doors into its log.
import { randomUUID } from 'node:crypto';
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { createJournal, createPostgresKeys, createPostgresLog, LOG_CHANNEL, logHints } from '../../dist/libs/event-log/index.js';
import { notifier } from '../../dist/libs/postgres/index.js';
import { catalog } from '../../dist/src/conference/catalog.js';
import { createTokens } from '../../dist/src/doors/tokens/tokens.js';
import { cpuOf } from './cpu.mjs';
import { silent, startDatabase } from './database.mjs';

/** As `npm start` gives it: what one batch needs dies young. */
export const YOUNG = ['--max-semi-space-size=32'];
/** Of a log that nobody set up otherwise (src/config.ts). */
const PARTITIONS = 8;
const MAIN = path.join(import.meta.dirname, '../../dist/src/cli/main.js');

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** @param environment settings of the service; as many partitions as by default, unless it names another number */
export async function startService(environment = {}) {
  const database = await startDatabase();
  const port = await freePort();
  const child = spawn(process.execPath, [...YOUNG, MAIN, 'start'], {
    env: { PATH: process.env.PATH, DATABASE_URL: database.url, PORT: String(port), METRICS_PORT: 'off', HALLWAY_DEMO: 'off', LOG_LEVEL: 'warn', ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise((resolve, reject) => {
    child.stdout.on('data', (chunk) => String(chunk).includes('is ready') && resolve());
    child.once('exit', (code) => reject(new Error(`the service ended with ${code}`)));
  });
  const token = await (await createTokens(database.pool)).issue({ actor: 'olga', role: 'organizer', conference: '*' }, 7_200);
  const url = `http://127.0.0.1:${port}`;
  const command = async (type, data, by = token) => {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${by}` };
    const body = JSON.stringify({ id: randomUUID(), type, data });
    for (;;) {
      const response = await fetch(`${url}/v1/conferences/bench/commands`, { method: 'POST', headers, body });
      if (response.ok) return response.json();
      const text = await response.text();
      const { code, retryAfter = 200 } = JSON.parse(text);
      // Try again, under the same id, at the time that was named.
      if (code >= 200) throw new Error(text);
      await wait(retryAfter);
    }
  };
  await command('open-conference', { title: 'Bench', timeZone: 'Europe/Berlin' });
  const pool = database.open(undefined, 16);
  const hints = logHints();
  const bell = notifier({ database: database.pool, channel: LOG_CHANNEL, logger: silent, join: hints.join });
  const log = await createPostgresLog({ pool, partitions: Number(environment.HALLWAY_PARTITIONS ?? PARTITIONS), logger: silent, notify: (partition) => bell.notify(hints.payload(partition)) });
  return {
    token,
    port,
    database,
    command,
    journal: createJournal({ log, catalog, keys: createPostgresKeys(pool) }),
    sockets: (cls) => `ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket&class=${cls}`,
    cpu: () => cpuOf(child.pid),
    async stop() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
      await bell.close();
      await log.close();
      await database.stop();
    },
  };
}
