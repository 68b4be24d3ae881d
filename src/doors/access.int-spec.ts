/** The table of rights on live sockets and over HTTP: expired, foreign, revoked and erased tokens among them. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { io, type Socket } from 'socket.io-client';
import { CHANNELS, COMMANDS, ROLES } from '../../test/support/access-table.js';
import { openDemo, until } from '../../test/support/process.js';
import { type Running, startRunning } from '../../test/support/running.js';
import { capabilities } from '../conference/capabilities.js';
import type { Role } from '../conference/capability.js';

const examples = new Map(
  capabilities.flatMap(({ commands }) => commands).map(({ type, example }) => [type, example] as const),
);
interface Answer {
  readonly refusal?: { readonly code: number };
  readonly code?: number;
}

describe('rights at the doors', () => {
  let running: Running;
  const sockets = new Set<Socket>();

  const connect = async (token: string, conference = 'demo'): Promise<Socket | number> => {
    const socket = io(running.service.url, {
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
      auth: { protocol: 1, conference, class: 'desk', token },
    });
    sockets.add(socket);
    return new Promise((resolve) => {
      socket.once('connect', () => resolve(socket));
      socket.once('connect_error', (error) => resolve((error as { data?: { code: number } }).data?.code ?? 0));
    });
  };
  const inside = async (role: Role, actor: string): Promise<Socket> => {
    const socket = await connect(await running.token(role, actor));
    if (typeof socket === 'number') throw new Error(`refused: ${socket}`);
    return socket;
  };
  const command = async (socket: Socket, type: string): Promise<Answer> =>
    socket.timeout(5_000).emitWithAck('command', { id: randomUUID(), type, data: examples.get(type) });
  const overHttp = async (token: string, type: string): Promise<Answer> => {
    const response = await fetch(`${running.service.url}/v1/conferences/demo/commands`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ id: randomUUID(), type, data: examples.get(type) }),
    });
    return (await response.json()) as Answer;
  };
  const head = async () => {
    const { body } = await running.organizer.get('/v1/conferences/demo/audit?limit=1');
    return (body.entries as { position: number }[])[0]?.position;
  };

  beforeAll(async () => {
    running = await startRunning();
    await openDemo(running.organizer);
    await running.organizer.send('grant-moderator', { moderator: 'mo', sessions: 'all' });
  }, 60_000);

  afterAll(async () => {
    for (const socket of sockets) socket.disconnect();
    await running?.stop();
  });

  it('every command that a role may not give is refused at both doors, and changes nothing', async () => {
    const before = await head();
    for (const [letter, role] of Object.entries(ROLES)) {
      const actor = role === 'moderator' ? 'mo' : `x-${role}`;
      const socket = await inside(role, actor);
      const token = await running.token(role, actor);
      // Producers act by events alone, whatever those are taken as.
      const forbidden = COMMANDS.filter(([, by]) => role === 'producer' || !by.includes(letter));
      expect(forbidden.length > 0).toBe(role !== 'organizer');
      for (const [type] of forbidden) {
        // A socket has a budget of messages; who is told to wait, waits.
        let answer = await command(socket, type);
        while (answer.refusal?.code === 106) {
          await new Promise((resolve) => setTimeout(resolve, 200));
          answer = await command(socket, type);
        }
        expect([role, type, answer.refusal?.code]).toEqual([role, type, 302]);
        expect([role, type, (await overHttp(token, type)).code]).toEqual([role, type, 302]);
      }
    }
    expect(await head()).toBe(before);
  }, 120_000);

  it('every channel answers each role as the table says', async () => {
    for (const [letter, role] of Object.entries(ROLES)) {
      const actor = role === 'moderator' ? 'mo' : `x-${role}`;
      const socket = await inside(role, actor);
      const names = CHANNELS.map(([pattern]) => pattern.replace(':session', 's1').replace(':actor', actor));
      const ack = (await socket
        .timeout(5_000)
        .emitWithAck('subscribe', { channels: Object.fromEntries(names.map((name) => [name, null])) })) as Record<
        string,
        'ok' | Required<Pick<Answer, 'refusal'>>
      >;
      for (const [index, [pattern, by]] of CHANNELS.entries()) {
        const answer = ack[names[index] ?? ''];
        const expected = by.includes(letter) ? 'ok' : by === '' ? 203 : 302;
        expect([role, pattern, answer === 'ok' ? 'ok' : answer?.refusal.code]).toEqual([role, pattern, expected]);
      }
    }
  }, 60_000);

  it('expired and foreign tokens come no further than CONNECT, and through no HTTP door', async () => {
    const { tokens } = running.service;
    const expired = await tokens.issue({ actor: 'ada', role: 'attendee', conference: 'demo' }, -10);
    const foreign = await tokens.issue({ actor: 'ada', role: 'attendee', conference: 'other' }, 60);
    expect([await connect(expired), await connect(foreign), await connect('x.y.z')]).toEqual([301, 303, 300]);
    for (const [token, code] of [
      [expired, 301],
      [foreign, 303],
      ['x.y.z', 300],
    ] as const)
      for (const [type] of COMMANDS) expect((await overHttp(token, type)).code).toBe(code);
  }, 60_000);

  it('a token that runs out while it is connected closes the socket', async () => {
    const socket = await connect(await running.token('attendee', 'brief', 2));
    if (typeof socket === 'number') throw new Error(`refused: ${socket}`);
    const why = await new Promise<{ code: number }>((resolve) => socket.once('refused', resolve));
    expect(why.code).toBe(301);
    await until('it is closed', () => !socket.connected);
  }, 30_000);

  it.each([
    ['revoked', 'moderator', 304, 'revoke-moderator', { moderator: 'mia' }],
    ['erased', 'attendee', 305, 'erase-attendee', { subject: 'mia' }],
  ] as const)(
    'who is %s is out at once: the live %s is closed, its token opens nothing any more',
    async (_, role, code, type, data) => {
      if (role === 'moderator') await running.organizer.send('grant-moderator', { moderator: 'mia', sessions: ['s1'] });
      const socket = await inside(role, 'mia');
      await socket.timeout(5_000).emitWithAck('subscribe', { channels: { 'session/s1/questions': null } });
      const refused = new Promise<{ code: number }>((resolve) => socket.once('refused', resolve));
      await running.organizer.send(type, data);
      expect((await refused).code).toBe(code);
      await until('it is closed', () => !socket.connected);
      const token = await running.token(role, 'mia');
      expect(await connect(token)).toBe(code);
      expect((await overHttp(token, 'ask-question')).code).toBe(code);
    },
    30_000,
  );
});
