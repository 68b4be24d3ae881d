/** T24: processes whose clocks differ by hours. Order is the log's; an age is what one clock says, the database's, and never negative. */
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createFeedClient, type FeedClient } from '#libs/feed-client';
import { createTokens } from '../../src/doors/tokens/tokens.js';
import { foldedAndExpected } from '../support/oracle.js';
import { type Api, api, freePort, openDemo, type ServiceProcess, startProcess, until } from '../support/process.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { openTestLog } from '../support/test-log.js';

const HOUR_MS = 3_600_000;
const SHIFTED = `--import=${path.resolve('test/support/shifted-clock.mjs')}`;

describe('a gateway an hour ahead and a projector two hours behind', () => {
  let database: TestDatabase;
  let projector: ServiceProcess;
  let gateway: ServiceProcess;
  let organizer: Api;
  let wall: FeedClient | undefined;
  const ports: number[] = [];

  const start = async (role: string, shift: number) => {
    const metrics = await freePort();
    ports.push(metrics);
    return startProcess({
      DATABASE_URL: database.url,
      ROLE: role,
      LOG_LEVEL: 'warn',
      METRICS_PORT: String(metrics),
      NODE_OPTIONS: SHIFTED,
      CLOCK_SHIFT_MS: String(shift),
    });
  };

  beforeAll(async () => {
    database = await createTestDatabase();
    projector = await start('projector', -2 * HOUR_MS);
    gateway = await start('gateway', HOUR_MS);
    await gateway.printed(/is ready/);
    const tokens = await createTokens(database.pool);
    const token = await tokens.issue({ actor: 'olga', role: 'organizer', conference: '*' }, 4 * 3_600);
    organizer = api(() => gateway.url, token);
    await openDemo(organizer);
    await organizer.send('open-questions', { session: 's1', mode: 'open' });
    wall = createFeedClient({
      url: gateway.url,
      conference: 'demo',
      class: 'screen',
      getToken: () => token,
      channels: ['schedule', 'session/s1/questions'],
    });
    await until('the wall is live', () => wall?.status().state === 'live');
  }, 90_000);

  afterAll(async () => {
    wall?.close();
    await gateway?.end('SIGTERM');
    await projector?.end('SIGTERM');
    await database?.drop();
  });

  it('T24: order is kept, the wall is live by the server’s clock, and no age in a scrape is negative or an hour', async () => {
    await organizer.send('ask-question', { session: 's1', text: 'What time is it?' });
    for (let minutes = 1; minutes <= 20; minutes++)
      await organizer.send('delay-session', {
        session: 's1',
        expectedStart: new Date(Date.now() + minutes * 60_000).toISOString(),
      });
    await until('the question is shown', () => (wall?.documents('session/s1/questions').size ?? 0) > 1);
    const { state, since, serverNow } = wall?.status() ?? {};
    expect(state).toBe('live');
    expect(Math.abs(Number(serverNow) - Date.now() - HOUR_MS)).toBeLessThan(60_000);
    expect(Math.abs(Date.now() + HOUR_MS - Number(since))).toBeLessThan(60_000);
    const log = await openTestLog(database);
    const { folded, expected } = await foldedAndExpected(database, log);
    await log.close();
    expect(folded).toEqual(expected);
    const scrapes = await Promise.all(
      ports.map(async (port) => (await fetch(`http://127.0.0.1:${port}/metrics`)).text()),
    );
    const values = scrapes.flatMap((text) =>
      [...text.matchAll(/^feed_\S+ (\S+)/gm)].map(([line, value]) => ({ line, value: Number(value) })),
    );
    expect(values.filter(({ value }) => value < 0)).toEqual([]);
    const ages = values.filter(({ line }) => line.startsWith('feed_projection_lag_time'));
    expect(ages).toHaveLength(1); // The gateway's: a projector serves nothing.
    expect(ages.filter(({ value }) => value > 60)).toEqual([]);
  }, 60_000);
});
