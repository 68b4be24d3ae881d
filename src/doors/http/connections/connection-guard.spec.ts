import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Refusal } from '#libs/protocol';
import { until } from '../../../../test/support/process.js';
import { ConnectionGuard } from './connection-guard.js';
import { HTTP_LIMITS, type HttpLimits } from './limits.js';

describe('the guard of HTTP connections', () => {
  let server: Server;
  const clients = new Set<Socket>();

  afterEach(async () => {
    for (const client of clients) client.destroy();
    clients.clear();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  async function start(
    answer: (request: IncomingMessage, response: ServerResponse) => void,
    over: Partial<HttpLimits> = {},
  ): Promise<ConnectionGuard> {
    server = createServer(answer);
    const guard = new ConnectionGuard(server, { ...HTTP_LIMITS, ...over });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return guard;
  }

  const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const get = (path: string, token?: string) =>
    `GET ${path} HTTP/1.1\r\nHost: x\r\n${token ? `Authorization: Bearer ${token}\r\n` : ''}\r\n`;

  /** Sends all at once. @returns what came, unless it never reads */
  async function send(text: string, { reads }: { reads: boolean }) {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    clients.add(socket);
    const client = { socket, heard: '', isClosed: false };
    socket.on('error', () => undefined);
    socket.on('close', () => {
      client.isClosed = true;
    });
    if (reads)
      socket.on('data', (data: Buffer) => {
        client.heard += data.toString();
      });
    await new Promise<void>((resolve) => socket.once('connect', resolve));
    socket.write(text);
    return client;
  }

  it('case R5: of 20,000 pipelined requests none but the first is rendered, the connection is closed, others are answered', async () => {
    let rendered = 0;
    const guard = await start((_request, response) => {
      rendered += 1;
      response.end('hello');
    });
    const rude = await send(get('/').repeat(20_000), { reads: false });
    await until('it is closed', () => guard.counts().pipelined === 1);
    expect(rendered).toBeLessThanOrEqual(2);
    expect(await (await fetch(url())).text()).toBe('hello');
    rude.socket.resume(); // A socket that never reads does not see its end either.
    await until('it sees its end', () => rude.isClosed);
  });

  it('case R5: seventeen at once are answered one after the other, in their order; one more closes the connection', async () => {
    let inside = 0;
    let most = 0;
    const guard = await start((request, response) => {
      most = Math.max(most, ++inside);
      setTimeout(() => {
        inside -= 1;
        response.end(`answer ${request.url}.`);
      }, 1);
    });
    const pipelined = (count: number) => Array.from({ length: count }, (_, index) => get(`/${index}`)).join('');
    const polite = await send(pipelined(17), { reads: true });
    await until('all are answered', () => polite.heard.includes('answer /16.'));
    expect([...polite.heard.matchAll(/answer \/(\d+)\./g)].map(([, index]) => Number(index))).toEqual(
      Array.from({ length: 17 }, (_, index) => index),
    );
    expect(most).toBe(1);
    const greedy = await send(pipelined(18), { reads: true });
    await until('it is closed', () => greedy.isClosed);
    expect(guard.counts().pipelined).toBe(1);
  });

  it('case R4: what one token leaves unread on many connections is bounded, and cut off when it is not read', async () => {
    const body = 'x'.repeat(8_000_000);
    const guard = await start((_request, response) => void response.end(body), {
      slowMs: 500,
      sweepMs: 50,
      unreadBytesPerPerson: 20_000_000,
      readsInProgressPerPerson: 5,
    });
    let most = 0;
    for (let index = 0; index < 12; index++) {
      await send(get('/', 'ann').repeat(10), { reads: false });
      most = Math.max(most, guard.counts().unreadBytes);
    }
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(20_000_000 + body.length);
    // Somebody else is served meanwhile.
    const response = await fetch(url(), { headers: { authorization: 'Bearer ben' } });
    expect((await response.text()).length).toBe(body.length);
    await until('all of it is cut off', () => guard.counts().unreadBytes === 0 && guard.counts().inProgress === 0);
    expect(guard.counts().cut.slow).toBeGreaterThan(0);
    const again = await fetch(url(), { headers: { authorization: 'Bearer ann' } });
    expect(again.status).toBe(200);
    await again.text();
  });

  it('case R4: beyond the bytes of the process the largest unread answers are cut off, whoever asked', async () => {
    const size = 8_000_000;
    const guard = await start((_request, response) => void response.end('x'.repeat(size)), {
      unreadBytes: 30_000_000,
      sweepMs: 50,
    });
    for (let index = 0; index < 10; index++) {
      await send(get('/', `person-${index}`), { reads: false });
      expect(guard.counts().unreadBytes).toBeLessThanOrEqual(30_000_000 + size);
    }
    await until('some are cut off', () => guard.counts().cut.unread > 0);
  });

  it('case R4: one who reads, however slowly, is not cut off', async () => {
    const size = 16_000_000;
    const guard = await start((_request, response) => void response.end('x'.repeat(size)), {
      slowMs: 2_000,
      sweepMs: 100,
    });
    const slow = await send(get('/'), { reads: false });
    let read = 0;
    slow.socket.on('data', (data: Buffer) => {
      read += data.length;
      slow.socket.pause();
      setTimeout(() => slow.socket.resume(), 15);
    });
    await until('it has read all', () => read > size || slow.isClosed, 25_000);
    expect(read).toBeGreaterThan(size);
    expect(guard.counts().cut).toEqual({ slow: 0, unread: 0 });
  });

  it('I9, I11: what is refused early reaches nobody, has a number, and leaves the connection as it is', async () => {
    let rendered = 0;
    const guard = await start((_request, response) => {
      rendered += 1;
      response.end('hello');
    });
    guard.refuseBy(({ method }) => (method === 'POST' ? new Refusal('busy', undefined, 2_500) : null));
    const refused = await fetch(url(), { method: 'POST', body: '{"id":' });
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '3']);
    expect(await refused.json()).toMatchObject({ code: 101, status: 503, retryAfter: 2_500 });
    expect(rendered).toBe(0);
    expect(await (await fetch(url())).text()).toBe('hello');
    expect(guard.counts().refused).toBe(1);
  });

  it('case V17: of what arrives in one turn a desk’s request is begun first and a refusal by load is told, though others wait for later turns', async () => {
    const begun: string[] = [];
    const guard = await start(
      (request, response) => {
        begun.push(request.url ?? '');
        response.end('hello');
      },
      { sliceMs: 0 },
    );
    guard.letFirst(({ url: path }) => path === '/desk');
    guard.refuseBy(({ url: path }) => (path === '/refused' ? new Refusal('busy', undefined, 2_500) : null));
    const people = await Promise.all(Array.from({ length: 22 }, () => send(get('/before'), { reads: true })));
    const heard = (text: string) =>
      new Promise<void>((resolve) => {
        const look = () => (people.every((one) => one.heard.includes(text)) ? resolve() : setImmediate(look));
        look();
      });
    await heard('hello');
    for (const one of people) one.heard = '';
    begun.length = 0;
    const paths = [...Array.from({ length: 20 }, (_, vote) => `/vote/${vote}`), '/refused', '/desk'];
    for (const [index, { socket }] of people.entries()) socket.write(get(paths[index] ?? ''));
    // All of them lie in the kernel now, and are read in one turn.
    await heard('HTTP/1.1');
    expect(begun[0]).toBe('/desk');
    expect(begun).toHaveLength(21);
    expect(people[20]?.heard).toContain('503');
  });

  it('I9: reads with one token beyond its rate are told to come again; what it sends, and others, are not', async () => {
    await start((_request, response) => void response.end('hello'), { readsPerPerson: { perSecond: 0.001, burst: 3 } });
    const status = async (token: string, method = 'GET') => {
      const response = await fetch(url(), { method, headers: { authorization: `Bearer ${token}` } });
      await response.text();
      return response.status;
    };
    const statuses = [];
    for (let index = 0; index < 5; index++) statuses.push(await status('ann'));
    expect(statuses).toEqual([200, 200, 200, 429, 429]);
    expect([await status('ann', 'POST'), await status('ben')]).toEqual([200, 200]);
  });
});
