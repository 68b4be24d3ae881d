/** A database that is put back as it was earlier, under a service that goes on and clients that stay. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createFeedClient, type FeedClient } from '#libs/feed-client';
import { openDemo, until } from './support/process.js';
import { type Running, startRunning } from './support/running.js';
import { startProxy } from './support/tcp-proxy.js';

const CHANNEL = 'schedule';
/** `RESTORE_ROUNDS=200 npm run jest -- test/restores` is the long form. */
const ROUNDS = Number(process.env.RESTORE_ROUNDS ?? 10);
type Entries = readonly (readonly [string, number, object])[];

describe('a restored database', () => {
  let running: Running;
  beforeAll(async () => {
    running = await startRunning();
    await openDemo(running.organizer);
  }, 60_000);
  afterAll(() => running.stop());

  /** A restore ends what organizers held before: each asks with a new token. */
  const organizer = () => running.as('organizer', 'olga');
  const schedule = async (from: number, to: number, title: string) => {
    const by = await organizer();
    for (let number = from; number < to; number++)
      await by.send(
        'schedule-session',
        { id: `n${number}`, title, room: 'b', start: '2026-12-01T10:00:00Z', end: '2026-12-01T11:00:00Z' },
        `${title} ${number}`,
      );
  };
  /** What the service shows to whoever comes now. */
  const snapshot = async () => {
    const { status, body } = await (await organizer()).get(`/v1/conferences/demo/channels/${CHANNEL}`);
    return status === 200 ? (body as { epoch: string; to: number; entries: Entries }) : undefined;
  };
  const shown = (client: FeedClient) =>
    JSON.stringify([...client.documents(CHANNEL)].map(([key, { version, body }]) => [key, version, body]).sort());
  const equalsSnapshot = async (client: FeedClient, sessions?: number) => {
    const fresh = await snapshot();
    if (client.status().state !== 'live' || !fresh) return false;
    if (sessions !== undefined && fresh.entries.length !== sessions + 5) return false;
    return (
      shown(client) === JSON.stringify([...fresh.entries].map(([key, version, body]) => [key, version, body]).sort())
    );
  };

  const etags = async () => {
    const headers = { authorization: `Bearer ${await running.token('organizer')}` };
    const answers = ['channels/schedule', 'schedule.json', 'schedule.xml', 'schedule.ics'].map(async (name) => {
      const response = await fetch(`${running.service.url}/v1/conferences/demo/${name}`, { headers });
      return [name, response.headers.get('etag') ?? '', await response.text()] as const;
    });
    return Promise.all(answers);
  };

  it.each([
    ['case M1: by its witnesses', undefined, 'database'],
    ['case R2: by its history, where no witness shows it', 'unseen', 'history'],
  ] as const)(
    '%s, it is noticed under running processes: another epoch, and a client that stayed shows what a fresh one does',
    async (_, unseen, seenBy) => {
      const first = (await snapshot())?.entries.length ?? 0;
      const base = first - 5;
      await schedule(base, base + 3, 'before');
      const backup = await running.database.backUp();
      await schedule(base + 3, base + 9, 'lost');
      const client = running.client(await running.token('screen'), [CHANNEL]);
      await until('the client has all of it', () => equalsSnapshot(client, base + 9));
      const before = await snapshot();
      const cached = await etags();
      await backup.restore(unseen);
      await until('the service goes on', async () => (await snapshot())?.entries.length === first + 3);
      await schedule(base + 3, base + 12, 'after');
      await until('the client shows what a fresh one does', () => equalsSnapshot(client, base + 12), 30_000);
      await until('the epoch is another one', async () => (await snapshot())?.epoch !== before?.epoch);
      const { rows } = await running.database.pool.query('select seen_by from restore_event order by id desc limit 1');
      expect(rows).toEqual([{ seen_by: [seenBy] }]);
      const now = await etags();
      for (const [index, [name, etag, body]] of now.entries()) {
        expect([name, etag]).not.toEqual(cached[index]?.slice(0, 2));
        expect(body).toContain('after');
      }
      client.close();
    },
    90_000,
  );

  it(
    `cases R2, M1: ${ROUNDS} rounds of restores, seen and unseen: who stays and who returns shows what a fresh client does`,
    async () => {
      const proxy = await startProxy(Number(new URL(running.service.url).port));
      const follow = (port: number, cls: 'screen' | 'desk', token: string) =>
        createFeedClient({
          url: `http://127.0.0.1:${port}`,
          conference: 'demo',
          class: cls,
          getToken: () => token,
          channels: [CHANNEL, 'updates'],
        });
      const stays = follow(proxy.target, 'screen', await running.token('screen'));
      const returns = follow(proxy.port, 'desk', await running.token('screen'));
      let counter = 0;
      try {
        for (let round = 0; round < ROUNDS; round++) {
          const some = () => 1 + ((round * 7 + counter) % 5);
          const first = (await snapshot())?.entries.length ?? 0;
          const add = async (count: number, title: string) => {
            for (let left = count; left > 0; left--) await schedule(++counter * 1_000, counter * 1_000 + 1, title);
          };
          const backup = await running.database.backUp();
          await add(some(), `lost ${round}`);
          if (round % 3 === 0) proxy.cut();
          const lost = some();
          await add(lost, `lost ${round}`);
          if (round % 3 === 1) proxy.cut();
          await backup.restore(round % 2 === 0 ? 'unseen' : undefined);
          await until('the service goes on', async () => (await snapshot())?.entries.length === first);
          const after = some() + (round % 4 === 0 ? lost + 6 : 0);
          await until('organizers write again', async () =>
            schedule(++counter * 1_000, counter * 1_000 + 1, 'after').then(
              () => true,
              () => false,
            ),
          );
          await add(after, `after ${round}.`);
          proxy.heal();
          for (const [name, client] of Object.entries({ stays, returns }))
            await until(
              `round ${round}: the copy is the snapshot`,
              async () => (await equalsSnapshot(client)) && shown(client).includes(`after ${round}.`),
              30_000,
            ).catch(async (error: unknown) => {
              const { epoch, to } = (await snapshot()) ?? {};
              const state = JSON.stringify([client.status(), ...client.refusals()]);
              throw new Error(`${name} at ${client.completeTo(CHANNEL)} instead of ${epoch} ${to}: ${state}`, {
                cause: error,
              });
            });
        }
      } finally {
        stays.close();
        returns.close();
        await proxy.close();
      }
    },
    ROUNDS * 60_000,
  );
});
