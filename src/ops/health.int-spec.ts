/** A wedged projector is seen for one, on a real Postgres: its batch hangs, its batch fails for ever, its claim fails for ever. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createFeed } from '#libs/feed';
import { createProjector } from '#libs/projector';
import { until } from '../../test/support/process.js';
import { silent as logger } from '../../test/support/silent.js';
import { catalog, set, station } from '../../test/support/station.js';
import { createTestDatabase } from '../../test/support/test-database.js';
import { createHealth } from './health.js';

const WEDGED_MS = 2_000;

async function start() {
  const database = await createTestDatabase();
  const { log, journal, generation, pool, count } = await station(database);
  await database.pool.query(`update generation set state = 'live'`);
  const projector = createProjector({ pool, log, journal, set, catalog, generation, owner: 'one', logger });
  const feed = createFeed({ pool: database.pool, url: database.url, partitions: 1, logger });
  const sockets = { stats: () => ({}) };
  const health = createHealth({
    role: 'projector',
    feed,
    projector,
    sockets,
    wedgedMs: WEDGED_MS,
    reachesDatabase: async () => true,
  });
  projector.start();
  const table = `${generation.schema}.counter`;
  return {
    pool: database.pool,
    table,
    schema: generation.schema,
    health,
    projector,
    /** An event waits, and nothing else. */
    wait: () => count(['a']),
    async end() {
      health.close();
      await projector.stop();
      await feed.close();
      await pool.end();
      await database.drop();
    },
  };
}

describe('health of a projector', () => {
  let road: Awaited<ReturnType<typeof start>>;
  beforeEach(async () => {
    road = await start();
    await road.wait();
    await until('it folds', () => road.projector.status()[0]?.folded === 1);
    await until('it is well', () => alive() && road.health.ready().ok);
  });
  afterEach(() => road.end());

  const alive = () => road.health.alive().ok;
  /** Longer than any pause between two tries: what is claimed anew each time must not look well in between. */
  const staysWedged = async () => {
    const since = performance.now();
    await until('it was looked at all the while', () => {
      expect(alive()).toBe(false);
      return performance.now() - since > 3_000;
    });
  };

  it('a batch that hangs behind a lock: not alive, and alive again once it is gone', async () => {
    const other = await road.pool.connect();
    await other.query(`begin`);
    await other.query(`lock table ${road.table}`);
    await road.wait();
    expect(alive()).toBe(true);
    await until('it is wedged', () => !alive());
    expect(road.health.alive().details).toMatchObject({ lag: 1, wedged: [0] });
    await other.query('rollback');
    other.release();
    await until('it is well', alive);
    expect(road.health.alive().details).toMatchObject({ lag: 0, wedged: [] });
  });

  it('a batch that fails for ever: not ready at once, not alive soon, over all the claims that succeed in between', async () => {
    await road.pool.query(`alter table ${road.table} rename to away`);
    await road.wait();
    await until('it is not ready', () => !road.health.ready().ok);
    expect(road.health.ready().details).toMatchObject({
      errors: [{ partition: 0, error: expect.stringContaining('from offset 1 on cannot be folded (42P01)') }],
    });
    expect(alive()).toBe(true);
    await until('it is wedged', () => !alive());
    await staysWedged();
    await road.pool.query(`alter table ${road.schema}.away rename to counter`);
    await until('it is well', () => alive() && road.health.ready().ok);
  });

  it('a claim that fails for ever: the same', async () => {
    await road.pool.query(`alter table ${road.schema}.projection_checkpoint rename to away`);
    await road.wait();
    await until('it is not ready', () => !road.health.ready().ok);
    await until('it says why', () => /cannot be claimed \(42P01\)/.test(JSON.stringify(road.health.ready().details)));
    await until('it is wedged', () => !alive());
    await staysWedged();
    await road.pool.query(`alter table ${road.schema}.away rename to projection_checkpoint`);
    await until('it is well', () => alive() && road.health.ready().ok);
  });
});
