import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { io, type Socket } from 'socket.io-client';
import { openDemo, until } from '../../../test/support/process.js';
import { openRaw } from '../../../test/support/raw-socket.js';
import { type Running, startRunning } from '../../../test/support/running.js';
import type { Role } from '../../conference/capability.js';

describe('places before the upgrade', () => {
  let running: Running;
  const sockets = new Set<Socket>();

  beforeAll(async () => {
    running = await startRunning({ environment: { HALLWAY_MAX_SOCKETS: '40' } });
    await openDemo(running.organizer);
  }, 60_000);
  afterAll(async () => {
    for (const socket of sockets) socket.disconnect();
    await running.stop();
  });

  /** @returns what came of it: connected, or the number of the refusal; 0: refused before the upgrade */
  async function come(role: Role, cls: string, query: object = {}): Promise<{ answer: 'in' | number; socket: Socket }> {
    const conference = 'demo';
    const token = await running.token(role);
    const socket = io(running.service.url, {
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
      auth: { protocol: 1, conference, class: cls, token },
      query: { class: cls, ...query },
    });
    sockets.add(socket);
    const answer = await new Promise<'in' | number>((resolve) => {
      socket.once('connect', () => resolve('in'));
      socket.once('connect_error', (error) => resolve((error as { data?: { code: number } }).data?.code ?? 0));
    });
    if (answer !== 'in') socket.disconnect();
    return { answer, socket };
  }

  it('[H3] case R6: sixty attendees who call themselves screens take no place of a screen or a desk', async () => {
    const crowd = await Promise.all(Array.from({ length: 60 }, () => come('attendee', 'screen')));
    expect(crowd.filter(({ answer }) => answer === 'in')).toHaveLength(36);
    expect(new Set(crowd.map(({ answer }) => answer))).toEqual(new Set(['in', 101]));
    // Neither has a ticket yet.
    const staff = [await come('screen', 'screen'), await come('organizer', 'desk')];
    expect(staff.map(({ answer }) => answer)).toEqual(['in', 'in']);
    for (const { socket } of [...crowd, ...staff]) socket.disconnect();
    await until('all have left', () => Object.values(running.service.socketStats().sockets).every((n) => n === 0));
  }, 60_000);

  it('[H5] case R6: a ticket comes beside each token and after CONNECT, and the feed client shows the last one', async () => {
    const code = String((await running.organizer.post('/v1/conferences/demo/tokens', { role: 'screen' })).body.ticket);
    expect(running.service.tokens.ticketClass(code)).toBe('screen');
    expect((await come('screen', 'screen', { ticket: code })).answer).toBe('in');
    // The feed client shows the ticket that it got.
    const tickets: string[] = [];
    const store = { load: () => tickets.at(-1), save: (ticket: string) => void tickets.push(ticket) };
    const client = running.client(await running.token('screen'), ['schedule'], 'screen', store);
    await until('it is live', () => client.status().state === 'live');
    expect(tickets.map((ticket) => running.service.tokens.ticketClass(ticket))).toEqual(['screen']);
  }, 60_000);

  it('[H3] case R6: one who was let in without a ticket and says nothing is closed after 2 s', async () => {
    const silent = await Promise.all(Array.from({ length: 5 }, () => openRaw(running.service.url)));
    const opened = performance.now();
    await Promise.all(silent.map(({ closed }) => closed));
    // Of its own accord socket.io would wait for ten.
    expect(performance.now() - opened).toBeLessThan(8_000);
  }, 30_000);

  it('[H3] case R6: a forged ticket opens nothing more than none', async () => {
    const forged = 'A'.repeat(28);
    expect(running.service.tokens.ticketClass(forged)).toBeNull();
    expect((await come('attendee', 'phone', { ticket: forged })).answer).toBe('in');
  });
});
