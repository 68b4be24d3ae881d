/** The proxy of docker-compose.yml: a real Caddy with ops/Caddyfile before two real gateways, one of which hangs, then dies. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createFeedClient, type FeedClient } from '#libs/feed-client';
import { createTokens } from '../../src/doors/tokens/tokens.js';
import { type Api, api, freePort, openDemo, type ServiceProcess, startProcess, until } from '../support/process.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

function caddyMissing(): boolean {
  if (spawnSync('caddy', ['version'], { stdio: 'ignore' }).status === 0) return false;
  if (process.env.CI === 'true') throw new Error('caddy is missing: npm run setup');
  process.stderr.write('skipped: caddy is missing (npm run setup)\n');
  return true;
}

/** ops/Caddyfile asks every 2 s and waits 1 s for the answer; the rest is for a busy machine. */
const NOTICED_MS = 6_000;

(caddyMissing() ? describe.skip : describe)('the proxy before two gateways', () => {
  let database: TestDatabase;
  let projector: ServiceProcess;
  let gateways: [ServiceProcess, ServiceProcess];
  let caddy: ChildProcess;
  let folder: string;
  let url: string;
  let organizer: Api;
  let token: string;
  let client: FeedClient;

  beforeAll(async () => {
    database = await createTestDatabase();
    const start = (role: string) => startProcess({ DATABASE_URL: database.url, ROLE: role, LOG_LEVEL: 'warn' });
    projector = await start('projector');
    gateways = [await start('gateway'), await start('gateway')];
    for (const gateway of gateways) await gateway.printed(/is ready/);
    folder = mkdtempSync(path.join(tmpdir(), 'hallway-proxy-'));
    const port = await freePort();
    const [one, other] = gateways.map((gateway) => new URL(gateway.url).host);
    const file = path.join(folder, 'Caddyfile');
    const config = readFileSync('ops/Caddyfile', 'utf8')
      .replace('hallway-gateway-1:3000', one ?? '')
      .replace('hallway-gateway-2:3000', other ?? '')
      .replace(/^:3000/m, `http://127.0.0.1:${port}`);
    writeFileSync(file, config);
    caddy = spawn('caddy', ['run', '--config', file, '--adapter', 'caddyfile'], {
      stdio: 'ignore',
      env: { PATH: process.env.PATH ?? '', HOME: folder },
    });
    url = `http://127.0.0.1:${port}`;
    const tokens = await createTokens(database.pool);
    token = await tokens.issue({ actor: 'olga', role: 'organizer', conference: '*' }, 3_600);
    organizer = api(() => url, token);
    await until(
      'the proxy answers',
      async () => (await organizer.get('/readyz').catch(() => undefined))?.status === 200,
    );
    await openDemo(organizer);
    client = createFeedClient({
      url,
      conference: 'demo',
      class: 'screen',
      getToken: () => token,
      channels: ['schedule'],
    });
    await until('the wall is live', () => client.status().state === 'live');
  }, 90_000);

  afterAll(async () => {
    client?.close();
    caddy?.kill('SIGKILL');
    for (const gateway of gateways ?? []) {
      gateway.child.kill('SIGCONT');
      await gateway.end('SIGKILL');
    }
    await projector?.end('SIGTERM');
    rmSync(folder, { recursive: true, force: true });
    await database?.drop();
  }, 60_000);

  /** Asks without a pause until told to stop: what was answered, and how late. */
  function asking() {
    const answers: { readonly status: number; readonly tookMs: number }[] = [];
    let going = true;
    const one = async () => {
      while (going) {
        const sentAt = performance.now();
        const { status } = await organizer.get('/v1/conferences/demo/schedule.json').catch(() => ({ status: 0 }));
        answers.push({ status, tookMs: performance.now() - sentAt });
      }
    };
    const loops = [one(), one(), one(), one()];
    return {
      answers,
      async end() {
        going = false;
        await Promise.all(loops);
      },
    };
  }
  /** Not answered by a gateway: 502 and its kin are the proxy's own, 0 is no answer. That one person asks too often (429) is an answer. */
  const refused = (answers: readonly { readonly status: number }[]) =>
    answers.map(({ status }) => status).filter((status) => status === 0 || status >= 500);

  it('case C2: a gateway that hangs gets no new requests once the proxy has noticed', async () => {
    const [hanging] = gateways;
    hanging.child.kill('SIGSTOP');
    const stopped = performance.now();
    await until('it was noticed', () => performance.now() - stopped > NOTICED_MS);
    const { answers, end } = asking();
    await until('many are answered', () => answers.length > 100, 20_000);
    await end();
    expect(refused(answers)).toEqual([]);
    expect(Math.max(...answers.map(({ tookMs }) => tookMs))).toBeLessThan(2_000);
    hanging.child.kill('SIGCONT');
    const { status } = await organizer.get('/v1/conferences');
    expect(status).toBe(200);
  }, 60_000);

  it('case C2: one of two gateways is killed: every GET is answered, commands too, and the wall is live again', async () => {
    const resumed = performance.now();
    await until('it was noticed that it goes on', () => performance.now() - resumed > NOTICED_MS);
    const { answers, end } = asking();
    await until('some are answered', () => answers.length > 20, 20_000);
    await gateways[0].end('SIGKILL');
    const killed = performance.now();
    const before = answers.length;
    await until('many are answered', () => answers.length > before + 200 && performance.now() - killed > 3_000, 30_000);
    await end();
    expect(refused(answers)).toEqual([]);
    const codes = new Set<number>();
    for (let count = 0; count < 20; count++) {
      const id = `00000000-0000-4000-8000-0000000000${String(count).padStart(2, '0')}`;
      const data = {
        id: `x${count}`,
        title: `X ${count}`,
        room: 'b',
        start: '2026-12-01T10:00:00Z',
        end: '2026-12-01T11:00:00Z',
      };
      const { status } = await organizer.post('/v1/conferences/demo/commands', { id, type: 'schedule-session', data });
      codes.add(status);
      if (status >= 300) await organizer.send('schedule-session', data, id);
    }
    expect([...codes].filter((status) => status >= 500)).toEqual([]);
    await until('the wall shows the last one', () => client.documents('schedule').has('session/x19'), 20_000);
  }, 90_000);
});
