import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { silent as logger } from '../../test/support/silent.js';
import { catalog, set, station } from '../../test/support/station.js';
import { createTestDatabase, type TestDatabase } from '../../test/support/test-database.js';
import { claim, LEASE_SECONDS } from './checkpoint.js';
import { createProjector } from './projector.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

/** Connections on which each lookup of rows takes so many seconds. */
function slow(pool: pg.Pool, seconds: number): pg.Pool {
  const bound = (target: object, property: string | symbol): unknown => {
    const value: unknown = Reflect.get(target, property);
    return typeof value === 'function' ? value.bind(target) : value;
  };
  const connect = async () => {
    const client = await pool.connect();
    const query = async (text: string, values?: unknown[]) => {
      if (String(text).includes('select distinct')) await client.query('select pg_sleep($1)', [seconds]);
      return client.query(text, values);
    };
    return new Proxy(client, { get: (target, property) => (property === 'query' ? query : bound(target, property)) });
  };
  return new Proxy(pool, { get: (target, property) => (property === 'connect' ? connect : bound(target, property)) });
}

describe('the lease of a partition', () => {
  it('case S6: a batch that takes longer than the lease and goes on keeps it; nobody else can claim the partition meanwhile', async () => {
    const { log, journal, generation, pool, count, countEach, stored } = await station(database);
    await count(['a']);
    const projector = createProjector({
      pool: slow(pool, 1.4),
      log,
      journal,
      set,
      catalog,
      generation,
      owner: 'slow',
      logger,
    });
    projector.start();
    const next = async () =>
      Number((await pool.query('select next_offset from projection_checkpoint')).rows[0]?.next_offset ?? -1);
    const claims: unknown[] = [];
    const untilFolded = async (offset: number) => {
      while ((await next()) < offset) {
        if (projector.status()[0]?.owned) claims.push(await claim(pool, 0, randomUUID()));
        await pool.query('select pg_sleep(0.1)');
      }
    };
    const startedAt = performance.now();
    await untilFolded(1);
    await countEach(Array.from({ length: 3 }, (_, index) => ({ id: `k${index}` })));
    await untilFolded(4);
    expect(performance.now() - startedAt).toBeGreaterThan(2 * LEASE_SECONDS * 1_000);
    expect(claims.length).toBeGreaterThan(20);
    expect(claims.filter((one) => one !== null)).toEqual([]);
    expect((await stored()).counters).toEqual(['a=1', 'k0=1', 'k1=1', 'k2=1']);
    await projector.stop();
    await pool.end();
  }, 60_000);
});
