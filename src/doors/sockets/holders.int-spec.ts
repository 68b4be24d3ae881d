import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { io } from 'socket.io-client';
import { liveGeneration } from '#libs/projector';
import { openDemo, until } from '../../../test/support/process.js';
import { openRaw } from '../../../test/support/raw-socket.js';
import { type Running, startRunning } from '../../../test/support/running.js';

describe('what a socket holds', () => {
  let running: Running;

  beforeAll(async () => {
    running = await startRunning();
    await openDemo(running.organizer);
  }, 60_000);
  afterAll(() => running.stop());

  const holders = () => running.service.feed.stats().holders;
  const auth = (token: string) => ({ protocol: 1, conference: 'demo', class: 'phone', token });

  it('case V22: a client that closes while its conference is being loaded holds nothing afterwards', async () => {
    // Of a process that has loaded nothing yet; a lock keeps its first load waiting.
    const other = await running.another('v1');
    const live = await liveGeneration(running.database.pool);
    const locking = await running.database.pool.connect();
    try {
      await locking.query(`begin; lock table ${live?.schema}.feed_document in access exclusive mode`);
      const clients = await Promise.all(Array.from({ length: 5 }, () => openRaw(other.url)));
      for (const client of clients) client.connect(auth(await running.token('attendee')));
      await until('the load waits for the lock', async () => {
        const { rows } = await running.database.pool.query(
          `select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%feed_document%' and pid <> pg_backend_pid()`,
        );
        return rows.length > 0;
      });
      for (const client of clients) client.socket.close();
      await Promise.all(clients.map(({ closed }) => closed));
      expect(other.feed.stats().holders).toBe(0);
      await locking.query('rollback');
      await until('each handshake has come to its end', () => other.socketStats().abandoned === 5);
      expect(other.feed.stats()).toMatchObject({ loaded: 1, holders: 0 });
    } finally {
      locking.release();
      await other.stop();
    }
  }, 60_000);

  it('case V22: a client that stays holds the conference once, until it leaves', async () => {
    const socket = io(running.service.url, {
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
      auth: auth(await running.token('attendee')),
    });
    await new Promise((resolve) => socket.once('connect', () => resolve(undefined)));
    expect(holders()).toBe(1);
    socket.disconnect();
    await until('the conference is let go', () => holders() === 0);
  });

  it('case 17: a moderator who loses two channels at once is told so once', async () => {
    await running.organizer.send('grant-moderator', { moderator: 'mia', sessions: 'all' });
    const socket = io(running.service.url, {
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
      query: { class: 'desk' },
      auth: { ...auth(await running.token('moderator', 'mia')), class: 'desk' },
    });
    const refusals: number[] = [];
    socket.on('refused', ({ code }: { code: number }) => refusals.push(code));
    await new Promise((resolve) => socket.once('connect', () => resolve(undefined)));
    const channels = { 'session/s1/desk': null, 'session/s3/desk': null, 'session/s1/questions': null };
    expect(await socket.emitWithAck('subscribe', { channels })).toMatchObject({
      'session/s1/desk': 'ok',
      'session/s3/desk': 'ok',
    });
    const before = running.service.socketStats().refused[304] ?? 0;
    const gone = new Promise((resolve) => socket.once('disconnect', resolve));
    await running.organizer.send('grant-moderator', { moderator: 'mia', sessions: ['s2'] });
    await gone;
    expect(refusals).toEqual([304]);
    expect((running.service.socketStats().refused[304] ?? 0) - before).toBe(1);
  });
});
