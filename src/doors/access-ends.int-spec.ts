/** Access ends: who was let in is let out at once, at every way in; nobody becomes somebody else; what is renewed ends some day. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { io, type Socket } from 'socket.io-client';
import { api, openDemo, until } from '../../test/support/process.js';
import { type Running, startRunning } from '../../test/support/running.js';
import { silent } from '../../test/support/silent.js';
import type { Role } from '../conference/capability.js';
import { keepLocalAccess } from '../local-access.js';
import { openApi } from './http/openapi.js';

const DAY = 24 * 3_600;

describe('access ends', () => {
  let running: Running;
  const sockets = new Set<Socket>();

  const connect = async (token: string): Promise<Socket> => {
    const socket = io(running.service.url, {
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
      auth: { protocol: 1, conference: 'demo', class: 'desk', token },
    });
    sockets.add(socket);
    await new Promise((resolve, reject) =>
      socket.once('connect', () => resolve(undefined)).once('connect_error', reject),
    );
    return socket;
  };
  const told = (socket: Socket) => new Promise<{ code: number }>((resolve) => socket.once('refused', resolve));
  const call = async (token: string, method: string, route: string, body?: object) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const init = body ? { method, headers, body: JSON.stringify(body) } : { method, headers };
    const response = await fetch(running.service.url + route, init);
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    return { status: response.status, body: (isJson ? JSON.parse(text) : {}) as Record<string, unknown> };
  };

  beforeAll(async () => {
    running = await startRunning();
    await openDemo(running.organizer);
  }, 60_000);
  afterEach(() => void jest.restoreAllMocks());
  afterAll(async () => {
    for (const socket of sockets) socket.disconnect();
    await running?.stop();
  });

  it('case V32: a revoked moderator is refused with 304 by every route that asks who is there, and by the link and socket they still have', async () => {
    await running.organizer.send('grant-moderator', { moderator: 'rita', sessions: 'all' });
    const token = await running.token('moderator', 'rita');
    const { url } = (await call(token, 'POST', '/v1/conferences/demo/links', {})).body as { url: string };
    const live = await connect(token);
    const refused = told(live);
    await running.organizer.send('revoke-moderator', { moderator: 'rita' });
    expect((await refused).code).toBe(304);
    const paths = (openApi('http://x') as { paths: Record<string, Record<string, { security?: unknown[] }>> }).paths;
    const routes = Object.entries(paths).flatMap(([route, methods]) =>
      Object.entries(methods).flatMap(([method, { security }]) =>
        security?.length === 0 || !route.includes('{conference}') ? [] : [[method.toUpperCase(), route] as const],
      ),
    );
    expect(routes.length).toBeGreaterThan(12);
    for (const [method, pattern] of routes) {
      const route = pattern
        .replace('{conference}', 'demo')
        .replace(/\{channel\}/, 'schedule')
        .replace(/\{\w+\}/, '1');
      const { body } = await call(token, method, route, method === 'POST' ? {} : undefined);
      expect([method, route, body.code]).toEqual([method, route, 304]);
    }
    const command = { id: randomUUID(), type: 'open-questions', data: { session: 's2' } };
    expect((await call(token, 'POST', '/v1/conferences/demo/commands', command)).body.code).toBe(304);
    const code = url.split('=')[1];
    expect((await call('', 'POST', `/v1/links/${code}`, {})).body.code).toBe(304);
  }, 60_000);

  it('case V33: an organizer makes tokens of new people only; another device is a link of the person’s own, which ends with their token', async () => {
    const minted = async (body: object) => (await running.organizer.post('/v1/conferences/demo/tokens', body)).body;
    const people = await Promise.all(
      (['attendee', 'moderator', 'screen', 'operator', 'organizer'] as Role[]).map(async (role) => {
        const { actor } = await minted({ role });
        expect((await minted({ role, actor })).code).toBe(201);
        return actor as string;
      }),
    );
    expect(new Set(people).size).toBe(5);
    // As the source of a producer neither.
    await running.organizer.send('grant-moderator', { moderator: 'named-by-hand', sessions: 'all' });
    for (const actor of [...people, `a-${randomUUID()}`, 'olga', 'named-by-hand'])
      expect((await minted({ role: 'producer', actor })).code).toBe(302);
    expect(await minted({ role: 'producer', actor: 'venue-doors' })).toMatchObject({ actor: 'venue-doors' });

    const mine = await running.token('organizer', 'olga', 600);
    const { url } = (await call(mine, 'POST', '/v1/conferences/demo/links', {})).body as { url: string };
    const redeemed = (await call('', 'POST', `/v1/links/${url.split('=')[1]}`, {})).body as Record<string, string>;
    expect(redeemed).toMatchObject({ actor: 'olga', role: 'organizer' });
    const [before, after] = await Promise.all(
      [mine, String(redeemed.token)].map((token) => running.service.tokens.verify(token)),
    );
    expect(after?.expiresAt).toBeLessThanOrEqual(before?.expiresAt ?? 0);
    for (const role of ['attendee', 'screen', 'producer'] as const) {
      const token = await running.token(role, `x-${role}`);
      expect((await call(token, 'POST', '/v1/conferences/demo/links', {})).body.code).toBe(302);
    }
  }, 60_000);

  it('case V34: an organizer’s revocation closes the live sockets of the other and refuses their requests at once, at another gateway within a second', async () => {
    const other = await running.another('v1');
    const [token, elsewhere] = [await running.token('organizer', 'oscar'), await running.token('organizer', 'oscar')];
    const live = await connect(token);
    const refused = told(live);
    const { body: known } = await running.organizer.get('/v1/conferences/*/tokens');
    const ids = (known.tokens as { id: string; actor: string }[]).filter(({ actor }) => actor === 'oscar');
    expect(ids).toHaveLength(2);
    const { id } = await running.service.tokens.verify(token);
    const revocation = { token: id, reason: 'a lost laptop' };
    expect((await running.organizer.post('/v1/conferences/*/tokens/revoke', revocation)).status).toBe(200);
    expect((await refused).code).toBe(304);
    expect((await call(token, 'GET', '/v1/conferences/demo/channels/schedule')).body.code).toBe(304);
    expect((await call(elsewhere, 'GET', '/v1/conferences/demo/channels/schedule')).status).toBe(200);
    const there = (with_: string) => api(() => other.url, with_).get('/v1/conferences/demo/channels/schedule');
    expect(await until('the other gateway knows', async () => (await there(token)).body.code === 304)).toBeLessThan(
      3_000,
    );
    await running.organizer.post('/v1/conferences/*/tokens/revoke', { actor: 'oscar' });
    await until('all tokens have ended there', async () => (await there(elsewhere)).body.code === 304);
    expect((await there(await running.token('organizer', 'oscar'))).status).toBe(200);
    const acts = (await running.organizer.get('/v1/conferences/*/tokens')).body.acts as object[];
    expect(acts).toMatchObject([
      { act: 'revoke', subject: 'oscar', by: 'olga' },
      { subject: id, reason: 'a lost laptop' },
    ]);
    for (const role of ['moderator', 'operator', 'attendee', 'screen'] as const) {
      if (role === 'moderator') await running.organizer.send('grant-moderator', { moderator: `y-${role}` });
      const as = await running.token(role, `y-${role}`);
      for (const [method, route] of [
        ['GET', '/v1/conferences/demo/tokens'],
        ['POST', '/v1/conferences/demo/tokens/revoke'],
        ['POST', '/v1/conferences/*/keys'],
      ] as const) {
        const { body } = await call(as, method, route, method === 'POST' ? { actor: 'olga' } : undefined);
        expect([302, 303]).toContain(body.code);
      }
    }
  }, 60_000);

  it('case V35: a live socket whose token has 60 days left is open after 59 and told 301 after 60; no timer reaches so far', async () => {
    const { tokens } = running.service;
    const live = await connect(await running.token('screen', 'wall', 60 * DAY));
    const looked = jest.spyOn(tokens, 'now');
    const at = (days: number) => {
      looked.mockClear();
      looked.mockReturnValue(Date.now() + days * DAY * 1_000);
      return until('it was looked at twice', () => looked.mock.calls.length >= 2);
    };
    const refused = told(live);
    for (const days of [24.8, 25, 59.9]) {
      await at(days);
      expect(live.connected).toBe(true);
    }
    await at(60.1);
    expect((await refused).code).toBe(301);
  }, 30_000);

  it('a token is renewed for the same person while it lasts and a week after it, and not for ever; an organizer’s is not', async () => {
    const { tokens } = running.service;
    const renew = (token: string) => call(token, 'POST', '/v1/conferences/demo/tokens/renew', {});
    const identity = { actor: 'a-1', role: 'attendee', conference: 'demo' } as const;
    const ended = await tokens.issue(identity, -DAY);
    expect((await call(ended, 'GET', '/v1/conferences/demo/channels/schedule')).body.code).toBe(301);
    const renewed = await renew(ended);
    expect(renewed).toMatchObject({ status: 200, body: { actor: 'a-1' } });
    expect((await call(String(renewed.body.token), 'GET', '/v1/conferences/demo/channels/schedule')).status).toBe(200);
    expect((await renew(await tokens.issue(identity, -8 * DAY))).body.code).toBe(301);
    const since = Date.now() - 89 * DAY * 1_000;
    const old = await renew(await tokens.issue(identity, 60, { since }));
    const { expiresAt } = await tokens.verify(String(old.body.token));
    expect(Math.abs(expiresAt - (since + 90 * DAY * 1_000))).toBeLessThan(2_000);
    expect((await renew(await tokens.issue(identity, 60, { since: since - 2 * DAY * 1_000 }))).body.code).toBe(301);
    expect((await renew(await running.token('organizer', 'olga'))).body.code).toBe(302);
    await running.organizer.send('erase-attendee', { subject: 'a-1' });
    expect((await renew(String(renewed.body.token))).body.code).toBe(305);
  }, 30_000);

  it('case V35: the local token of the command line is good for as long as the service runs: renewed in time, and at once when it was ended', async () => {
    const dataDir = mkdtempSync(path.join(tmpdir(), 'hallway-local-'));
    const { tokens, url } = running.service;
    const local = () => readFileSync(path.join(dataDir, 'organizer.token'), 'utf8');
    const end = await keepLocalAccess({ dataDir, url, tokens, logger: silent, renewMs: 200 });
    const first = local();
    await until('it was renewed', () => local() !== first);
    end();
    const keep = await keepLocalAccess({ dataDir, url, tokens, logger: silent });
    const before = local();
    await tokens.revoke({ by: 'olga', conference: '*', actor: 'local-organizer' });
    await until('it was replaced', () => local() !== before);
    expect((await tokens.verify(local())).identity.actor).toBe('local-organizer');
    keep();
    expect(() => local()).toThrow('ENOENT');
    rmSync(dataDir, { recursive: true });
  }, 30_000);
});
