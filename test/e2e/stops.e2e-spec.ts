/** A process that is asked to stop while everything is busy: requests, idle and half-sent connections, sockets. */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createFeedClient, type FeedClient } from '#libs/feed-client';
import { api, openDemo, type ServiceProcess, startProcess, until } from '../support/process.js';

/** What the Deployment of an orchestrator would wait for at least. */
const STOP_MS = 5_000;

interface Answer {
  readonly sentAt: number;
  /** A status, or the code of a broken connection. */
  readonly result: number | string;
  readonly code?: number;
}

/** One connection that is kept alive and never idle. */
function busy(url: string, agent: Agent, route: string, token: string, body?: () => string) {
  const answers: Answer[] = [];
  let going = true;
  const once = () =>
    new Promise<Answer>((resolve) => {
      const sentAt = performance.now();
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      const sent = request(url + route, { agent, method: body ? 'POST' : 'GET', headers }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('error', (error: NodeJS.ErrnoException) => resolve({ sentAt, result: error.code ?? 'error' }));
        response.on('end', () => {
          const { code } = JSON.parse(text) as { code?: number };
          resolve({ sentAt, result: response.statusCode ?? 0, ...(code === undefined ? {} : { code }) });
        });
      });
      sent.on('error', (error: NodeJS.ErrnoException) => resolve({ sentAt, result: error.code ?? 'error' }));
      sent.end(body?.());
    });
  const ended = (async () => {
    while (going) {
      const answer = await once();
      answers.push(answer);
      if (typeof answer.result === 'string') return;
    }
  })();
  return { answers, end: () => (going = false), ended };
}

describe.each([
  ['drains for the default time', {}],
  ['drains for no time at all', { HALLWAY_DRAIN_MS: '0' }],
])('a process that %s', (_, environment) => {
  let folder: string;
  let service: ServiceProcess;
  let token: string;
  const clients: FeedClient[] = [];
  const opened: Socket[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'hallway-stops-'));
    service = await startProcess({
      DATA_DIR: folder,
      HALLWAY_DEMO: 'off',
      HALLWAY_DRAIN_MS: '2000',
      ...environment,
    });
    await service.printed(/is ready/);
    token = readFileSync(path.join(folder, 'organizer.token'), 'utf8');
    await openDemo(api(() => service.url, token));
  }, 60_000);

  afterAll(async () => {
    for (const client of clients) client.close();
    for (const socket of opened) socket.destroy();
    await service.end('SIGKILL');
    await until('the database has ended', () => !existsSync(path.join(folder, 'postgres', 'postmaster.pid')));
    rmSync(folder, { recursive: true, force: true });
  });

  it('case R9: SIGTERM while commands, reads, idle and half-sent connections and sockets are there ends it with 0 within 5 s; what it had taken is answered', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 16 });
    const command = () => {
      const id = randomUUID();
      const data = { id, title: id, room: 'b', start: '2026-12-01T10:00:00Z', end: '2026-12-01T11:00:00Z' };
      return JSON.stringify({ id, type: 'schedule-session', data });
    };
    const all = Array.from({ length: 16 }, (__, index) =>
      index % 2
        ? busy(service.url, agent, '/v1/conferences/demo/commands', token, command)
        : busy(service.url, agent, '/v1/conferences/demo/channels/schedule', token),
    );
    for (let index = 0; index < 5; index++)
      clients.push(
        createFeedClient({
          url: service.url,
          conference: 'demo',
          class: 'phone',
          getToken: () => token,
          channels: ['schedule'],
        }),
      );
    const port = Number(new URL(service.url).port);
    // One that says nothing, one that has said half of it, one between two requests.
    for (const text of [
      '',
      `POST /v1/conferences/demo/commands HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{"id":`,
      'GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n',
    ]) {
      const socket = connect(port, '127.0.0.1').on('error', () => undefined);
      socket.write(text);
      opened.push(socket);
    }
    await until('everything is busy', () => all.every(({ answers }) => answers.length >= 5));
    await until('all sockets are there', () => clients.every((client) => client.status().state === 'live'));

    const asked = performance.now();
    expect(await service.end('SIGTERM')).toBe(0);
    expect(performance.now() - asked).toBeLessThan(STOP_MS);
    for (const { end } of all) end();
    await Promise.all(all.map(({ ended }) => ended));
    agent.destroy();
    const answers = all.flatMap(({ answers }) => answers);
    // What was under way when the signal came, or came while it drained: an outcome or a number.
    expect(answers.filter(({ sentAt, result }) => sentAt < asked && typeof result === 'string')).toEqual([]);
    const refused = answers.filter(({ result }) => typeof result === 'number' && result >= 400);
    expect(refused.filter(({ code }) => code === undefined || code < 101 || code > 107)).toEqual([]);
    expect(existsSync(path.join(folder, 'organizer.token'))).toBe(false);
    expect(service.output()).not.toMatch(/FATAL|57P01|could not be closed/);
  }, 40_000);
});

describe('a process that is still starting', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'hallway-starting-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('case R9: SIGTERM before it is ready ends it with 0 within 5 s, and the next start finds nothing in its way', async () => {
    const first = await startProcess({ DATA_DIR: folder, HALLWAY_DEMO: 'off' });
    const health = (route: string) =>
      fetch(first.url + route).then(
        ({ status }) => status,
        () => 0,
      );
    await until('it listens', async () => (await health('/healthz')) === 200);
    expect(first.output()).not.toMatch(/is ready/);
    const asked = performance.now();
    expect(await first.end('SIGTERM')).toBe(0);
    expect(performance.now() - asked).toBeLessThan(STOP_MS);
    expect(first.output()).toMatch(/stopping before the start was complete/);
    const second = await startProcess({ DATA_DIR: folder, HALLWAY_DEMO: 'off' });
    await second.printed(/is ready/);
    expect(await second.end('SIGTERM')).toBe(0);
  }, 60_000);
});
