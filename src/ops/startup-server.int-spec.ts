import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { api, freePort, openDemo, until } from '../../test/support/process.js';
import { startRunning } from '../../test/support/running.js';
import { silent as logger } from '../../test/support/silent.js';
import { createTestDatabase, type TestDatabase } from '../../test/support/test-database.js';
import { withTestLog } from '../../test/support/test-log.js';
import { readConfig } from '../config.js';
import { createService } from '../service.js';
import { startServer } from './startup-server.js';

/** Of libs/postgres/migrate.ts: who holds it lets no process open its database. */
const MIGRATE_TURN = 7_246_311_001n;

describe('a process that is starting', () => {
  let database: TestDatabase;
  let port: number;
  const ends: (() => Promise<unknown>)[] = [];
  beforeEach(async () => {
    database = await createTestDatabase();
    port = await freePort();
  });
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
    await database.drop();
  });

  async function start(role: string, projectionVersion = 'v1') {
    const environment = { DATABASE_URL: database.url, PORT: String(port), ROLE: role, HALLWAY_DRAIN_MS: '0' };
    const config = readConfig(await withTestLog({ HALLWAY_DEMO: 'off', ...environment }));
    const service = createService({ config, logger, projectionVersion });
    ends.push(async () => (await service).stop());
    return service;
  }
  const { get } = api(() => `http://127.0.0.1:${port}`, 'none');

  it.each(['all', 'projector', 'gateway'])(
    'case M5: ROLE=%s answers /healthz from the first second, and /readyz says what it is doing',
    async (role) => {
      const blocker = await database.pool.connect();
      await blocker.query('select pg_advisory_lock($1)', [MIGRATE_TURN]);
      const started = start(role);
      await until('it answers', async () => (await get('/healthz').catch(() => undefined))?.status === 200);
      expect(await get('/readyz')).toMatchObject({
        status: 503,
        body: { ok: false, role, phase: 'opening the database', errors: [{ error: 'opening the database' }] },
      });
      expect(await get('/v1/conferences')).toMatchObject({ status: 503, body: { code: 102, retryAfter: 2_000 } });
      await blocker.query('select pg_advisory_unlock($1)', [MIGRATE_TURN]);
      blocker.release();
      await started;
      expect((await get('/healthz')).status).toBe(200);
      expect((await get('/readyz')).body).not.toHaveProperty('phase');
    },
  );

  it('case M5: the estimate follows from the speed since the build was first seen', async () => {
    const startup = await startServer(readConfig({ PORT: String(port) }));
    ends.push(() => startup.close());
    startup.progress({ done: 100, total: 1_100 });
    const begun = performance.now();
    await until('some time has passed', () => performance.now() - begun > 200);
    startup.progress({ done: 200, total: 1_100 });
    const { build } = (await get('/readyz')).body as { readonly build: { readonly remainingSeconds: number } };
    const elapsed = (performance.now() - begun) / 1_000;
    expect(build.remainingSeconds).toBeGreaterThanOrEqual(2);
    expect(build.remainingSeconds).toBeLessThanOrEqual(Math.ceil(9 * elapsed));
  });

  it('case M5: while read models are built, /healthz answers and /readyz tells how far they are', async () => {
    const before = await startRunning({ database });
    await openDemo(before.organizer);
    await before.stop();
    const { rows } = await database.pool.query<{ total: number }>(
      'select sum(next_offset)::int as total from g1.projection_checkpoint',
    );
    const blocker = await database.pool.connect();
    // Asked with each claim: nothing is folded until it is free again.
    await blocker.query('begin; lock table public.skipped_event');
    ends.push(async () => blocker.query('rollback').then(() => blocker.release()));
    const started = start('projector', 'v2');
    const state = async () => (await get('/readyz').catch(() => undefined))?.body;
    await until('it builds', async () => (await state())?.build !== undefined);
    expect(await state()).toMatchObject({
      ok: false,
      phase: 'building read models',
      build: { done: 0, total: rows[0]?.total, remainingSeconds: null },
    });
    expect((await get('/healthz')).status).toBe(200);
    await blocker.query('rollback');
    await started;
    await until('it is ready', async () => (await get('/readyz')).status === 200);
  });
});
