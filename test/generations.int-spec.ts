/** Versions have an order: what was superseded comes back only if an operator asks for it. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { listGenerations } from '#libs/projector';
import { generations } from '../src/cli/generations.js';
import { type Config, readConfig } from '../src/config.js';
import { createService, type Service } from '../src/service.js';
import { api, freePort, openDemo, until } from './support/process.js';
import { silent as logger } from './support/silent.js';
import { createTestDatabase, type TestDatabase } from './support/test-database.js';
import { withTestLog } from './support/test-log.js';

interface Started {
  readonly url: string;
  readonly service: Promise<Service>;
  readyz(): Promise<{ readonly status: number; readonly body: Record<string, unknown> } | undefined>;
  stop(): Promise<void>;
}

describe('generations of read models', () => {
  let database: TestDatabase;
  let config: Config;
  const running = new Set<Started>();
  beforeEach(async () => {
    database = await createTestDatabase();
    config = await configOf('all');
  });
  afterEach(async () => {
    for (const one of [...running]) await one.stop();
    await database.drop();
  });

  const configOf = async (role: string, port = '0') =>
    readConfig(
      await withTestLog({
        DATABASE_URL: database.url,
        PORT: port,
        ROLE: role,
        HALLWAY_DRAIN_MS: '0',
        HALLWAY_DEMO: 'off',
      }),
    );

  async function start(projectionVersion: string, role = 'all'): Promise<Started> {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const service = createService({ config: await configOf(role, String(port)), logger, projectionVersion });
    const { get } = api(() => url, 'none');
    const started: Started = {
      url,
      service,
      readyz: () => get('/readyz').catch(() => undefined),
      async stop() {
        running.delete(started);
        await (await service).stop();
      },
    };
    running.add(started);
    return started;
  }
  const states = async () =>
    (await listGenerations(database.pool)).map(({ id, state, version }) => [id, version, state]);
  const ready = (one: Started) => until('it is ready', async () => (await one.readyz())?.status === 200, 20_000);
  const idles = (one: Started) =>
    until(
      'it idles',
      async () => String((await one.readyz())?.body.phase).startsWith('this version was superseded'),
      20_000,
    );
  async function filled() {
    const one = await start('v1');
    const { tokens } = await one.service;
    const token = await tokens.issue({ actor: 'olga', role: 'organizer', conference: '*' }, 600);
    await openDemo(api(() => one.url, token));
    return one;
  }

  it('case H1: a superseded version that is started again takes nothing over: it idles, not ready, and says why; a rollback brings it back', async () => {
    const one = await filled();
    const two = await start('v2');
    await ready(two);
    expect(await (await one.service).ended).toBe('another projection version has taken over');
    await one.stop();
    const again = await start('v1', 'projector');
    await idles(again);
    expect(await again.readyz()).toMatchObject({
      status: 503,
      body: { errors: [{ error: expect.stringContaining('generation 2 is live') }] },
    });
    expect((await fetch(`${again.url}/healthz`)).status).toBe(200);
    expect(await states()).toEqual([
      [2, 'v2', 'live'],
      [1, 'v1', 'retired'],
    ]);

    await generations(config, 'rollback', undefined);
    await ready(again);
    expect(await states()).toEqual([
      [2, 'v2', 'retired'],
      [1, 'v1', 'live'],
    ]);
    expect(await (await two.service).ended).toBe('another projection version has taken over');
    const { rows } = await database.pool.query('select generation, act, by_actor from generation_act order by id');
    expect(rows.map(({ generation, act }) => `${generation} ${act}`)).toEqual([
      '1 made',
      '1 switched',
      '2 made',
      '1 retired',
      '2 switched',
      '1 asked for',
      '2 retired',
      '1 switched',
    ]);
    expect(rows[5].by_actor).toMatch(/ at the command line$/);
  }, 90_000);

  it('case H1, S28: a version whose tables were dropped two switches ago does not take over either; switched to, it is built anew', async () => {
    await (await filled()).stop();
    for (const version of ['v2', 'v3']) {
      const next = await start(version);
      await ready(next);
      await next.stop();
    }
    expect(await states()).toEqual([
      [3, 'v3', 'live'],
      [2, 'v2', 'retired'],
      [1, 'v1', 'dropped'],
    ]);
    const again = await start('v1');
    await idles(again);
    await generations(config, 'switch', '1');
    await ready(again);
    expect(await states()).toEqual([
      [4, 'v1', 'live'],
      [3, 'v3', 'retired'],
      [2, 'v2', 'dropped'],
      [1, 'v1', 'dropped'],
    ]);
    expect(await (await again.service).feed.conferences()).toEqual(['demo']);
  }, 90_000);

  it('what cannot be done to a generation is refused with a number and changes nothing', async () => {
    await (await filled()).stop();
    const before = await states();
    for (const [act, id, said] of [
      ['rollback', undefined, /^209 .*nothing to go back to/],
      ['switch', '1', /^208 generation 1 is live already/],
      ['switch', '7', /^209 there is no generation 7/],
      ['switch', 'x', /^200 which generation/],
      ['drop', '1', /^208 generation 1 is live/],
      ['mend', '1', /^200 mend: /],
    ] as const)
      await expect(generations(config, act, id)).rejects.toThrow(said);
    expect(await states()).toEqual(before);
  }, 60_000);

  it('one that is being built can be dropped: its process idles and what is live stays live', async () => {
    await (await filled()).stop();
    const blocker = await database.pool.connect();
    await blocker.query('begin; lock table public.skipped_event');
    const two = await start('v2');
    await until('it builds', async () => (await two.readyz())?.body.build !== undefined, 20_000);
    await generations(config, 'drop', '2');
    await blocker.query('rollback');
    blocker.release();
    await idles(two);
    expect(await states()).toEqual([
      [2, 'v2', 'dropped'],
      [1, 'v1', 'live'],
    ]);
    await generations(config, 'switch', '2');
    await ready(two);
  }, 90_000);
});
