/** A data folder that is copied, used, and copied back, while clients wait for the service to return. */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createFeedClient, type FeedClient } from '#libs/feed-client';
import { type Api, api, freePort, openDemo, type ServiceProcess, startProcess, until } from '../support/process.js';

const CHANNEL = 'schedule';
type Entries = readonly (readonly [string, number, object])[];

describe('a data folder that is put back', () => {
  let folder: string;
  let port: number;
  let service: ServiceProcess;
  let organizer: Api;
  const clients: FeedClient[] = [];
  // With owners and times, as a backup does.
  const copy = (from: string, to: string) => execFileSync('cp', ['-a', from, to]);
  const data = () => path.join(folder, 'data');

  const start = async () => {
    service = await startProcess({ DATA_DIR: data(), HALLWAY_DEMO: 'off', PORT: String(port) });
    await service.printed(/is ready/);
    organizer = api(() => service.url, token());
  };
  const token = () => readFileSync(path.join(data(), 'organizer.token'), 'utf8');
  const follow = (bearer: string) => {
    const client = createFeedClient({
      url: `http://127.0.0.1:${port}`,
      conference: 'demo',
      class: 'screen',
      getToken: () => bearer,
      channels: [CHANNEL],
    });
    clients.push(client);
    return client;
  };
  const schedule = async (count: number, title: string) => {
    for (let number = 0; number < count; number++)
      await organizer.send(
        'schedule-session',
        {
          id: `n${number}`,
          title: `${title} ${number}`,
          room: 'b',
          start: '2026-12-01T10:00:00Z',
          end: '2026-12-01T11:00:00Z',
        },
        `${title} ${number}`,
      );
  };
  const shownBy = (client: FeedClient) =>
    JSON.stringify([...client.documents(CHANNEL)].map(([key, { version, body }]) => [key, version, body]).sort());
  const snapshot = async () => {
    const { body } = await organizer.get(`/v1/conferences/demo/channels/${CHANNEL}`);
    const { entries, epoch, to } = body as { entries: Entries; epoch: string; to: number };
    return { epoch, to, shown: JSON.stringify([...entries].map(([key, version, one]) => [key, version, one]).sort()) };
  };
  const isAsFresh = async (client: FeedClient) =>
    client.status().state === 'live' && shownBy(client) === (await snapshot()).shown;
  const cached = async (etag?: string) => {
    const headers = { authorization: `Bearer ${token()}`, ...(etag ? { 'if-none-match': etag } : {}) };
    const response = await fetch(`${service.url}/v1/conferences/demo/schedule.json`, { headers });
    return { status: response.status, etag: response.headers.get('etag') ?? '', text: await response.text() };
  };

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'hallway-restore-'));
    // Started as root, the database lies in it only if its user may pass.
    chmodSync(folder, 0o755);
    port = await freePort();
    await start();
    await openDemo(organizer);
  }, 60_000);
  afterAll(async () => {
    for (const client of clients) client.close();
    await service.end('SIGKILL');
    await until('the database has ended', () => !existsSync(path.join(data(), 'postgres', 'postmaster.pid')));
    rmSync(folder, { recursive: true, force: true });
  });

  it('cases R2, R3: is another epoch: a client that returns, and what was cached, show what a fresh one does', async () => {
    const { body } = await organizer.post('/v1/conferences/demo/tokens', { role: 'screen' });
    const client = follow(String(body.token));
    const { body: made } = await organizer.post('/v1/conferences/*/tokens', { role: 'organizer', link: true });
    const unused = String(made.url).split('#link=')[1] ?? '';
    await service.end('SIGTERM');
    copy(data(), path.join(folder, 'backup'));
    await start();
    await schedule(10, 'lost');
    await until('the client has what will be lost', () => isAsFresh(client));
    const before = await snapshot();
    const tag = await cached();
    await service.end('SIGTERM');
    rmSync(data(), { recursive: true });
    copy(path.join(folder, 'backup'), data());
    await start();
    expect(service.output()).toMatch(/was restored, copied or promoted/);
    await schedule(16, 'after');
    await until('the client shows what a fresh one does', () => isAsFresh(client), 30_000);
    const now = await snapshot();
    expect(now.to).toBeGreaterThan(before.to);
    expect(now.epoch).not.toBe(before.epoch);
    expect(shownBy(client)).not.toContain('lost');
    const again = await cached(tag.etag);
    expect(again.status).toBe(200);
    expect(again.text).toContain('after 15');
    // It may have been taken back by the restore, or used after the copy.
    expect(await organizer.post(`/v1/links/${unused}`, {})).toMatchObject({ status: 404, body: { code: 210 } });
  }, 120_000);
});
