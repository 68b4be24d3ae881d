import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Frame } from '#libs/protocol';
import { importLargeSchedule, openDemo, until } from '../../../test/support/process.js';
import { openRaw, type RawSocket } from '../../../test/support/raw-socket.js';
import { type Running, startRunning } from '../../../test/support/running.js';

describe('clients that do not read, or never stop asking', () => {
  let running: Running;

  beforeAll(async () => {
    running = await startRunning();
    await openDemo(running.organizer);
    await importLargeSchedule(running.service.url, await running.token('organizer'));
  }, 120_000);
  afterAll(() => running.stop());

  const stats = () => running.service.socketStats();
  async function join(actor: string): Promise<RawSocket> {
    const client = await openRaw(running.service.url, { class: 'desk' });
    client.connect({
      protocol: 1,
      conference: 'demo',
      class: 'desk',
      token: await running.token('attendee', actor),
      channels: { updates: null },
    });
    await until('it has a beacon', () => client.events.some(([event]) => event === 'beacon'));
    return client;
  }

  it('[X2] case V24: one who asks for snapshots and never reads is written what the kernel takes and one more, and is closed', async () => {
    const size = JSON.stringify((await running.organizer.get('/v1/conferences/demo/channels/schedule')).body).length;
    expect(size).toBeGreaterThan(500_000);
    const before = stats();
    const client = await join('rude');
    client.socket.pause();
    let asked = 0;
    let most = 0;
    await until(
      'it is closed as too slow',
      () => {
        client.emit('subscribe', { channels: { schedule: null } }, ++asked);
        most = Math.max(most, stats().unreadBytes);
        return stats().closedSlow > before.closedSlow;
      },
      25_000,
    );
    // Loopback takes some megabytes before it is full; a snapshot for each that asked would be many more.
    expect((stats().frames - before.frames) * size).toBeLessThan(20_000_000);
    expect(asked * size).toBeGreaterThan(100_000_000);
    // Each was the same packet.
    expect(most).toBeLessThan(1.5 * size);
    await until('nothing waits for it any more', () => stats().unreadBytes === 0);
    client.socket.terminate();
  }, 60_000);

  it('[X2] case V24: one who pauses and reads again goes on by version, and lacks nothing', async () => {
    const client = await join('sleepy');
    client.socket.pause();
    const skipped = stats().skipped;
    let posted = 0;
    await until('a change is not written to it', async () => {
      client.emit('subscribe', { channels: { schedule: null } }, ++posted);
      const organizer = await running.as('organizer', `olga-${posted}`);
      await organizer.send('post-update', { texts: { en: `News ${posted}!` } });
      return stats().skipped > skipped;
    });
    client.socket.resume();
    const updates = () =>
      client.events
        .flatMap(([event, body]) => (event === 'frame' ? [body as Frame] : []))
        .filter(({ channel }) => channel === 'updates');
    await until('it has the last of them', () => JSON.stringify(updates().at(-1)).includes(`News ${posted}!`));
    // No hole between any two of its frames.
    for (const [index, { from }] of updates().entries())
      expect(from ?? -1).toBeLessThanOrEqual(index === 0 ? -1 : (updates()[index - 1]?.to ?? -1));
    client.socket.close();
  }, 60_000);

  it('[X3] case R8: what one socket and one person may have resumed is bounded, and the rest is told to come again', async () => {
    const hundred = Object.fromEntries(
      Array.from({ length: 100 }, (_, index) => [`session/none-${index}/questions`, null]),
    );
    const answers = async (client: RawSocket, count: number) => {
      const acks: string[] = [];
      client.socket.on('message', (data: Buffer) => {
        const text = data.toString();
        if (text.startsWith('43')) acks.push(text);
      });
      for (let round = 0; round < count; round++) client.emit('subscribe', { channels: hundred }, round);
      await until('each is answered', () => acks.length === count);
      return acks.map((ack) => (ack.includes('"code":106') ? 106 : 'ok'));
    };
    const one = await join('eager');
    expect(await answers(one, 4)).toEqual(['ok', 'ok', 106, 106]);
    const others = await Promise.all(Array.from({ length: 5 }, () => join('eager')));
    const all: (string | number)[] = [];
    for (const other of others) all.push(...(await answers(other, 2)));
    expect(all.filter((answer) => answer === 106).length).toBeGreaterThan(0);
    const somebody = await join('modest');
    expect(await answers(somebody, 1)).toEqual(['ok']);
    for (const client of [one, ...others, somebody]) client.socket.close();
  }, 60_000);

  it('[X3] one who goes on sending after each refusal is told so and closed', async () => {
    const client = await join('flood');
    for (let round = 0; round < 400; round++) client.emit('unsubscribe', { channels: [] }, round);
    await client.closed;
    expect(client.events.filter(([event]) => event === 'refused')).toMatchObject([['refused', { code: 106 }]]);
  }, 30_000);

  it('I9: a second CONNECT on one connection ends it', async () => {
    const client = await join('twice');
    client.connect({ protocol: 1, conference: 'demo', class: 'desk', token: await running.token('attendee') });
    await client.closed;
    await until('nobody holds a conference', () => running.service.feed.stats().holders === 0);
  }, 30_000);
});
