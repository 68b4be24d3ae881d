import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Api, api, openDemo, type ServiceProcess, startProcess, until } from '../support/process.js';

/** Everything below this process, deepest last. */
function descendants(pid: number): number[] {
  const lines = execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n');
  const children = lines.flatMap((line) => {
    const [child, parent] = line.trim().split(/\s+/).map(Number);
    return parent === pid && child !== undefined ? [child] : [];
  });
  return children.flatMap((child) => [child, ...descendants(child)]);
}

/** A worker of the database may have ended since it was listed. */
function killed(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

describe('one process with its own database', () => {
  let folder: string;
  let service: ServiceProcess;
  let organizer: Api;

  const start = async () => {
    service = await startProcess({ DATA_DIR: path.join(folder, 'data'), HALLWAY_DEMO: 'off' });
    await service.printed(/is ready/);
    organizer = api(() => service.url, readFileSync(path.join(folder, 'data', 'organizer.token'), 'utf8'));
  };

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'hallway-e2e-'));
    await start();
    await openDemo(organizer);
  }, 60_000);

  afterAll(async () => {
    await service.end('SIGKILL');
    await until('the database has ended', () => !existsSync(path.join(folder, 'data', 'postgres', 'postmaster.pid')));
    rmSync(folder, { recursive: true, force: true });
  });

  it('prints its links, and the one-time organizer link works once', async () => {
    const code = /#link=([\w-]+)/.exec(service.output())?.[1] ?? '';
    const first = await organizer.post(`/v1/links/${code}`, {});
    expect(first).toMatchObject({ status: 200, body: { role: 'organizer', conference: '*' } });
    expect(await organizer.post(`/v1/links/${code}`, {})).toMatchObject({ status: 404, body: { code: 210 } });
  });

  it('a second start on the same data says who holds it', async () => {
    const second = await startProcess({ DATA_DIR: path.join(folder, 'data') });
    await new Promise((resolve) => second.child.once('exit', resolve));
    expect(second.child.exitCode).toBe(1);
    expect(second.output()).toMatch(new RegExp(`${service.child.pid}`));
    expect((await organizer.get('/healthz')).status).toBe(200);
  }, 30_000);

  it('I2, I13: kill -9 of everything in the middle of work: nothing acknowledged is missing, nothing is doubled', async () => {
    const acknowledged = new Set<string>();
    for (let round = 0; round < 3; round++) {
      let going = true;
      const work = (async () => {
        for (let number = 0; going; number++) {
          const id = `r${round}-${number}`;
          const ack = await organizer
            .send(
              'schedule-session',
              { id, title: id, room: 'b', start: '2026-12-01T10:00:00Z', end: '2026-12-01T11:00:00Z' },
              id,
            )
            .catch(() => null);
          if (ack?.outcome === 'applied') acknowledged.add(id);
        }
      })();
      const before = acknowledged.size;
      await until('some work is done', () => acknowledged.size > before + 5 + round * 7);
      for (const pid of [service.child.pid ?? 0, ...descendants(service.child.pid ?? 0)]) killed(pid);
      going = false;
      await work;
      await start();
      // The sender whose answer was lost sends again: the first outcome holds.
      for (const id of [...acknowledged].slice(-3)) {
        expect(
          (
            await organizer.send(
              'schedule-session',
              { id, title: id, room: 'b', start: '2026-12-01T10:00:00Z', end: '2026-12-01T11:00:00Z' },
              id,
            )
          ).outcome,
        ).toBe('applied');
      }
    }
    const { body } = await organizer.get('/v1/conferences/demo/channels/schedule');
    const keys = (body.entries as [string, number, object][]).map(([key]) => key);
    expect(new Set(keys).size).toBe(keys.length);
    for (const id of acknowledged) expect(keys).toContain(`session/${id}`);
  }, 90_000);

  it('Ctrl-C is clean within 5 s, also where npm hands it on and it comes twice', async () => {
    const started = performance.now();
    const ended = service.end('SIGINT');
    await service.printed(/stopping/);
    service.child.kill('SIGINT');
    expect(await ended).toBe(0);
    expect(service.output()).not.toMatch(/FATAL|57P01/);
    expect(performance.now() - started).toBeLessThan(5_000);
    expect(existsSync(path.join(folder, 'data', 'organizer.token'))).toBe(false);
    await start();
  }, 30_000);
});
