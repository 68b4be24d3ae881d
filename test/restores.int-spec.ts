/** A database that is put back as it was earlier, under a service that goes on and clients that stay. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { FeedClient } from '#libs/feed-client';
import { openDemo, until } from './support/process.js';
import { type Running, startRunning } from './support/running.js';

const CHANNEL = 'schedule';
type Entries = readonly (readonly [string, number, object])[];

describe('a restored database', () => {
  let running: Running;
  beforeAll(async () => {
    running = await startRunning();
    await openDemo(running.organizer);
  }, 60_000);
  afterAll(() => running.stop());

  const schedule = async (from: number, to: number, title: string) => {
    for (let number = from; number < to; number++)
      await running.organizer.send(
        'schedule-session',
        { id: `n${number}`, title, room: 'b', start: '2026-12-01T10:00:00Z', end: '2026-12-01T11:00:00Z' },
        `${title} ${number}`,
      );
  };
  /** What the service shows to whoever comes now. */
  const snapshot = async () => {
    const { status, body } = await running.organizer.get(`/v1/conferences/demo/channels/${CHANNEL}`);
    return status === 200 ? (body as { epoch: string; to: number; entries: Entries }) : undefined;
  };
  const shown = (client: FeedClient) =>
    JSON.stringify([...client.documents(CHANNEL)].map(([key, { version, body }]) => [key, version, body]).sort());
  const equalsSnapshot = async (client: FeedClient, sessions: number) => {
    const fresh = await snapshot();
    if (client.status().state !== 'live' || fresh?.entries.length !== sessions + 5) return false;
    return (
      shown(client) === JSON.stringify([...fresh.entries].map(([key, version, body]) => [key, version, body]).sort())
    );
  };

  it('case M1: is noticed under running processes: the epoch is another one, and a client that stayed shows what a fresh one does', async () => {
    await schedule(0, 3, 'before');
    const backup = await running.database.backUp();
    await schedule(3, 9, 'lost');
    const client = running.client(await running.token('screen'), [CHANNEL]);
    await until('the client has all of it', () => equalsSnapshot(client, 9));
    const before = await snapshot();
    await backup.restore();
    await until('the service goes on', async () => (await snapshot())?.entries.length === 8);
    await schedule(3, 12, 'after');
    await until('the client shows what a fresh one does', () => equalsSnapshot(client, 12), 30_000);
    expect((await snapshot())?.epoch).not.toBe(before?.epoch);
    const { rows } = await running.database.pool.query('select seen_by from restore_event');
    expect(rows).toEqual([{ seen_by: ['database'] }]);
  }, 90_000);
});
