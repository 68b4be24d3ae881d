/** A disk of 160 MB that gets full, under a running service and before a start. */
import { spawn, spawnSync } from 'node:child_process';
import { appendFileSync, chmodSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { type Api, api, freePort, openDemo, type ServiceProcess, startProcess, until } from '../support/process.js';

const folder = mkdtempSync(path.join(tmpdir(), 'hallway-disk-'));
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=160m,mode=0711', 'tmpfs', folder]).status === 0;

function cannotMount(): boolean {
  if (mounted) return false;
  if (process.env.CI === 'true') throw new Error('a disk of a fixed size cannot be mounted: run as root');
  process.stderr.write('skipped: a disk of a fixed size cannot be mounted (needs root)\n');
  return true;
}

const suite = cannotMount() ? describe.skip : describe;

suite('a full disk', () => {
  const data = path.join(folder, 'data');
  const ballast = path.join(folder, 'ballast');
  let service: ServiceProcess;
  let organizer: Api;

  const start = () => startProcess({ DATA_DIR: data, HALLWAY_DEMO: 'off' });
  const become = () => {
    organizer = api(() => service.url, readFileSync(path.join(data, 'organizer.token'), 'utf8'));
  };
  const fill = () => {
    for (let size = 1024 * 1024; size >= 1; size = Math.floor(size / 4))
      try {
        for (;;) appendFileSync(ballast, Buffer.alloc(size));
      } catch (error) {
        expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC');
      }
  };
  const makeSpace = () => rmSync(ballast);
  const saidFull = () =>
    service
      .output()
      .split('\n')
      .filter((line) => /disk (is|.* is) full/i.test(line));
  const status = async (route: string) => (await fetch(service.url + route)).status;
  const ready = async () => (await (await fetch(`${service.url}/readyz`)).json()) as { ok: boolean; database?: string };

  /** As a busy hour would: the log goes on to a segment for which there is no space. */
  async function switchLog(): Promise<void> {
    const password = readFileSync(path.join(data, 'postgres.password'), 'utf8');
    const port = readFileSync(path.join(data, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[3];
    const client = new Client({ connectionString: `postgres://hallway:${password}@127.0.0.1:${port}/postgres` });
    client.on('error', () => undefined);
    try {
      await client.connect();
      for (let round = 0; round < 20; round++) {
        await client.query('select pg_logical_emit_message(true, $1, $2)', ['test', 'x'.repeat(1000)]);
        await client.query('select pg_switch_wal()');
      }
    } catch {
      // The server has panicked.
    }
    await client.end().catch(() => undefined);
  }

  beforeAll(async () => {
    chmodSync(folder, 0o711);
    service = await start();
    await service.printed(/is ready/);
    become();
    await openDemo(organizer);
  }, 60_000);

  afterAll(async () => {
    await service.end('SIGTERM');
    spawnSync('umount', ['-l', folder]);
    rmSync(folder, { recursive: true, force: true });
  });

  it('case R10: under a running service ends the database with one line; the process stays alive, says why it is not ready, and goes on by itself once there is space', async () => {
    fill();
    await switchLog();
    await until(
      'it says that the disk is full',
      async () => /disk is full/.test((await ready()).database ?? ''),
      30_000,
    );
    expect(saidFull()).toHaveLength(1);
    expect(await status('/healthz')).toBe(200);
    expect(await status('/readyz')).toBe(503);
    expect(service.child.exitCode).toBeNull();
    makeSpace();
    await until('it is ready again', async () => (await status('/readyz')) === 200, 40_000);
    expect((await organizer.send('delay-room', { room: 'a', minutes: 5 })).outcome).toBe('applied');
    expect(service.output()).not.toMatch(/a bug/);
    expect(await service.end('SIGTERM')).toBe(0);
  }, 120_000);

  it('case R10: a start prints one line and no stack, and goes on by itself once there is space', async () => {
    fill();
    service = await start();
    await service.printed(/disk with .* is full: make space; the start is tried again every 5 s/);
    expect(await status('/healthz')).toBe(200);
    expect(await status('/readyz')).toBe(503);
    makeSpace();
    await service.printed(/is ready/);
    expect(saidFull()).toHaveLength(1);
    expect(service.output()).not.toMatch(/\n? {4}at /);
    become();
    expect((await organizer.get('/v1/conferences/demo/channels/schedule')).status).toBe(200);
  }, 120_000);

  it('case R10: log lines that the disk does not take are lost, and end nothing', async () => {
    const port = await freePort();
    const full = openSync('/dev/full', 'w');
    const env = {
      PATH: process.env.PATH ?? '',
      DATA_DIR: path.join(folder, 'silent'),
      HALLWAY_DEMO: 'off',
      LOG_LEVEL: 'debug',
    };
    const child = spawn(process.execPath, ['dist/src/cli/main.js', 'start'], {
      env: { ...env, PORT: String(port), METRICS_PORT: 'off' },
      stdio: ['ignore', full, full],
    });
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    await until(
      'it is ready, and says so to nobody',
      () =>
        fetch(`http://127.0.0.1:${port}/readyz`).then(
          ({ status }) => status === 200,
          () => false,
        ),
      40_000,
    );
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    closeSync(full);
  }, 60_000);
});
