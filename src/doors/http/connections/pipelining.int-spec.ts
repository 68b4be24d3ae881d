import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { importLargeSchedule, openDemo, until } from '../../../../test/support/process.js';
import { type Running, startRunning } from '../../../../test/support/running.js';

describe('clients that ask over HTTP and do not read', () => {
  let running: Running;
  const sockets = new Set<Socket>();

  beforeAll(async () => {
    running = await startRunning();
    await openDemo(running.organizer);
    await importLargeSchedule(running.service.url, await running.token('organizer'));
  }, 120_000);
  afterAll(async () => {
    for (const socket of sockets) socket.destroy();
    await running.stop();
  });

  /** Never reads: what comes stays with the kernel, and then with the service. */
  async function ask(path: string, times: number, token?: string): Promise<void> {
    const socket = connect(Number(new URL(running.service.url).port), '127.0.0.1');
    sockets.add(socket);
    socket.on('error', () => undefined);
    await new Promise<void>((resolve) => socket.once('connect', resolve));
    const authorization = token ? `Authorization: Bearer ${token}\r\n` : '';
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n${authorization}\r\n`.repeat(times));
  }

  it('case R5: 20,000 pipelined requests for any address close their connection; a screen stays live', async () => {
    const screen = running.client(await running.token('screen'), ['schedule'], 'screen');
    await until('the screen is live', () => screen.status().state === 'live');
    const states = new Set<string>();
    screen.onChange(() => states.add(screen.status().state));
    const before = running.service.httpStats().pipelined;
    const addresses = ['/v1/conferences', '/healthz', '/docs', '/'];
    for (const address of addresses) await ask(address, 20_000);
    await until('each is closed', () => running.service.httpStats().pipelined === before + addresses.length);
    const asked = performance.now();
    expect((await running.organizer.get('/healthz')).status).toBe(200);
    expect(performance.now() - asked).toBeLessThan(2_000);
    expect([...states].filter((state) => state !== 'live')).toEqual([]);
  }, 60_000);

  it('case R4: one token on 250 connections leaves little unread, and others are answered', async () => {
    const token = await running.token('attendee');
    let most = 0;
    for (let index = 0; index < 250; index++) {
      await ask('/v1/conferences/demo/channels/schedule', 16, token);
      most = Math.max(most, running.service.httpStats().unreadBytes);
    }
    expect(most).toBeGreaterThan(0);
    const { status } = await running.organizer.get('/v1/conferences/demo/channels/schedule');
    expect(status).toBe(200);
    // Each of 4,000 answers has more than half a megabyte.
    expect(most).toBeLessThanOrEqual(8 * 1024 * 1024 + 1_000_000);
  }, 60_000);
});
