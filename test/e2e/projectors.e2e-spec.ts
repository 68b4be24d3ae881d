import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { liveGeneration } from '#libs/projector';
import { createTokens } from '../../src/doors/tokens/tokens.js';
import { foldedAndExpected } from '../support/oracle.js';
import { type Api, api, openDemo, type ServiceProcess, startProcess, until } from '../support/process.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { openTestLog } from '../support/test-log.js';

const PARTITIONS = 8;

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
      'the projector is ready',
      async () => (await fetch(`${projector.url}/readyz`).catch(() => undefined))?.ok ?? false,
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
    const { folded, expected } = await foldedAndExpected(database, log);
    expect(folded).toEqual(expected);
    expect(folded.sessions).toBeGreaterThan(10);
    await log.close();
  }, 120_000);

  it('I1: one that was paused past its lease takes over without any traffic when the other dies', async () => {
    const [one, two] = projectors;
    const owners = async () => {
      const live = await liveGeneration(database.pool);
      const { rows } = await database.pool.query<{ owner: string | null }>(
        `select owner from ${live?.schema}.projection_checkpoint where lease_until > clock_timestamp()`,
      );
      return rows.map(({ owner }) => owner?.split('-')[1]);
    };
    const all = async (projector: ServiceProcess | undefined) => {
      const pids = await owners();
      return pids.length === PARTITIONS && pids.every((pid) => pid === String(projector?.child.pid));
    };
    one?.child.kill('SIGSTOP');
    await until('the other has all', () => all(two), 30_000);
    one?.child.kill('SIGCONT');
    const seen = async () => (await (await fetch(`${one?.url}/readyz`)).json()) as { owned: number };
    await until('it knows what it has lost', async () => (await seen()).owned < PARTITIONS, 15_000);
    await two?.end('SIGKILL');
    await until('it has all', () => all(one), 30_000);
    await organizer.send('start-session', { session: 's2' });
  }, 90_000);
});
