/** A network between service and database that drops every byte without a word: no end of a connection is ever seen. */
import { setTimeout as pass } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openDemo, until } from './support/process.js';
import { type Running, startRunning } from './support/running.js';
import { startProxy, type TcpProxy } from './support/tcp-proxy.js';
import { createTestDatabase, type TestDatabase } from './support/test-database.js';

/** Longer than any pause between two statements: each loop has one on its way when the network comes back. */
const HALF_OPEN_MS = 3_000;
/** The longest deadline of a statement (8 s and 1 s), a connection that is waited for (5 s), a lease (3 s), and some for a busy machine. */
const BOUND_MS = 25_000;

describe('half-open connections to the database', () => {
  let database: TestDatabase;
  let proxy: TcpProxy;
  let running: Running;
  beforeAll(async () => {
    database = await createTestDatabase();
    const url = new URL(database.url);
    proxy = await startProxy(Number(url.port));
    url.port = String(proxy.port);
    running = await startRunning({ database, environment: { DATABASE_URL: url.href } });
    await openDemo(running.organizer);
  }, 60_000);
  afterAll(async () => {
    await running?.stop();
    await proxy?.close();
    await database?.drop();
  });

  it('case S27: tail, projector and commands go on within a bound after the network is back, on new connections', async () => {
    const { service, organizer } = running;
    const { readyz } = { readyz: async () => (await fetch(`${service.url}/readyz`)).status };
    await until('it is ready', async () => (await readyz()) === 200);
    const folded = () => service.projecting?.projector.status().reduce((sum, one) => sum + one.folded, 0) ?? 0;
    const before = folded();
    proxy.drop();
    await until('the tail hangs', () => service.feed.idle() > HALF_OPEN_MS, 10_000);
    proxy.heal();
    const healed = performance.now();
    await until('the tail reads', () => service.feed.idle() < 500, BOUND_MS);
    const tailMs = performance.now() - healed;
    for (;;) {
      // As clients do: the answer to the first tries is "try again".
      const { status } = await organizer.post('/v1/conferences/demo/commands', {
        id: 'a1b6f7b4-3b2e-4a39-9d3c-8f0c1f2b7d10',
        type: 'start-session',
        data: { session: 's1' },
      });
      if (status < 300) break;
      expect(performance.now() - healed).toBeLessThan(BOUND_MS);
      await pass(200);
    }
    await until('the projector folds', () => folded() > before, BOUND_MS);
    const foldMs = performance.now() - healed;
    process.stderr.write(`half-open: tail after ${Math.round(tailMs)} ms, projector after ${Math.round(foldMs)} ms\n`);
    expect(foldMs).toBeLessThan(BOUND_MS);
    await until('it is ready again', async () => (await readyz()) === 200);
  }, 120_000);
});
