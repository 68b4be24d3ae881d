import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createJournal, createPostgresKeys, partitionOf } from '#libs/event-log';
import { createMemoryStore, liveGeneration } from '#libs/projector';
import { catalog } from '../../src/conference/catalog.js';
import { projectionSet } from '../../src/conference/projection-set.js';
import { createTokens } from '../../src/doors/tokens/tokens.js';
import { type Api, api, openDemo, type ServiceProcess, startProcess, until } from '../support/process.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { openTestLog } from '../support/test-log.js';
import { foldLog } from '../support/world.js';

describe('two projector processes on one database', () => {
  let database: TestDatabase;
  let gateway: ServiceProcess;
  let organizer: Api;
  const projectors: ServiceProcess[] = [];

  const start = (role: string) => startProcess({ DATABASE_URL: database.url, ROLE: role, LOG_LEVEL: 'warn' });
  const startProjector = async (slot: number) => {
    const projector = await start('projector');
    projectors[slot] = projector;
    await until(
      'the projector answers',
      async () => (await fetch(`${projector.url}/healthz`).catch(() => undefined))?.ok ?? false,
    );
  };

  beforeAll(async () => {
    database = await createTestDatabase();
    await startProjector(0);
    await startProjector(1);
    gateway = await start('gateway');
    await gateway.printed(/is ready/);
    const tokens = await createTokens(database.pool);
    organizer = api(
      () => gateway.url,
      await tokens.issue({ actor: 'olga', role: 'organizer', conference: '*' }, 3_600),
    );
    await openDemo(organizer);
  }, 90_000);

  afterAll(async () => {
    for (const projector of projectors) {
      projector.child.kill('SIGCONT');
      await projector.end('SIGKILL');
    }
    await gateway?.end('SIGTERM');
    await database?.drop();
  });

  it('I1, I2: killed and paused past their leases in turn while people act: rows and documents are the sequential fold of the log, each event once', async () => {
    let going = true;
    let sent = 0;
    const work = (async () => {
      for (; going; sent++) {
        await organizer
          .send('schedule-session', {
            id: `x${sent}`,
            title: `Session ${sent}`,
            room: 'b',
            start: '2026-12-01T10:00:00Z',
            end: '2026-12-01T11:00:00Z',
          })
          .catch(() => undefined);
      }
    })();
    const moreWork = async () => {
      const before = sent;
      await until('work goes on', () => sent > before + 3, 30_000);
    };
    for (const slot of [0, 1]) {
      const projector = projectors[slot];
      projector?.child.kill('SIGSTOP');
      await moreWork(); // The other one has taken over once the lease ran out.
      projector?.child.kill('SIGCONT');
      await moreWork();
    }
    for (const slot of [0, 1]) {
      await projectors[slot]?.end('SIGKILL');
      await moreWork();
      await startProjector(slot);
    }
    going = false;
    await work;

    const log = await openTestLog(database);
    const partition = partitionOf('demo', log.partitions);
    const { high } = await log.watermarks(partition);
    const live = await liveGeneration(database.pool);
    const query = async (sql: string) => (await database.pool.query(sql.replaceAll('$g', live?.schema ?? ''))).rows;
    await until(
      'all is folded',
      async () =>
        BigInt(
          (await query(`select next_offset from $g.projection_checkpoint where partition = ${partition}`))[0]
            ?.next_offset ?? 0,
        ) >= high,
    );
    const store = createMemoryStore();
    await foldLog({
      log,
      journal: createJournal({ log, catalog, keys: createPostgresKeys(database.pool) }),
      store,
      set: projectionSet('oracle'),
      sizes: [1],
      partition,
    });
    const documents = await query(
      `select conference || ' ' || channel || ' ' || key as name, version::int, body from $g.feed_document where body is not null order by 1`,
    );
    const expected = [...store.documents]
      .filter(([, { body }]) => body !== null)
      .map(([name, { version, body }]) => ({ name, version, body }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    expect(documents.sort((a, b) => (a.name < b.name ? -1 : 1))).toEqual(expected);
    expect(Number((await query('select count(*) from $g.session'))[0]?.count)).toBe(
      store.rows('demo', 'session').length,
    );
    expect(Number((await query('select count(*) from $g.applied_command'))[0]?.count)).toBe(
      store.rows('demo', 'applied_command').length,
    );
    await log.close();
  }, 120_000);
});
