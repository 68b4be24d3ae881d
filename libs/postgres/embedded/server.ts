import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../logger.js';
import { explainFailure, isDiskFull } from './damage.js';
import { CHILD_ENVIRONMENT, commandLine, identifyProcess, type SystemUser } from './processes.js';

export interface ServerOptions {
  readonly native: string;
  readonly folder: string;
  readonly user: SystemUser | undefined;
  readonly settings: Readonly<Record<string, string>>;
  readonly logger: Logger;
  /** Default: a free one. */
  readonly port?: number;
}

export interface Server {
  readonly port: number;
  /** Resolves when the server ended, asked or not. */
  readonly ended: Promise<void>;
  /** Whether it ended because there was no space. */
  isDiskFull(): boolean;
  stop(): Promise<void>;
}

/** One of the server's own, by its default prefix: time, zone, process. What goes on in the next line has none. */
const LINE = /^[\d:. -]+ \S+ \[\d+\] +([A-Z]+):/;

/** Clients that came while it recovers or stops: one line for each try of each of them. */
const TURNED_AWAY = /the database system is|terminating connection|terminating autovacuum/;

/**
 * A shell between us and the database. Its input is a pipe that only we hold: when it closes, on purpose or because we were
 * killed, the watcher sends the database SIGINT (fast shutdown; SIGTERM would wait for clients). Job signals of a terminal
 * do not reach it (own session), and the shell itself ignores them.
 */
const WATCHDOG =
  'exec 3<&0; trap "" INT TERM HUP; "$@" </dev/null 3<&- & p=$!; ' +
  '{ trap - INT TERM; read -r _ <&3; kill -INT $p; } >/dev/null 2>&1 & w=$!; ' +
  'exec 3<&- 2>/dev/null; wait $p; c=$?; kill -9 $w 2>/dev/null; exit $c';

/** Leftovers of an earlier run go away within this time, or never. */
const GIVE_UP_MS = 20_000;
/** Clients that have just said goodbye are gone within this time; whoever still stays is disconnected. */
const GOODBYE_MS = 1_000;
/** A fast shutdown writes a checkpoint; after this long the server is ended at once and recovers at the next start. */
const STOP_MS = 30_000;

/**
 * Starts the database on a free local port; clears what a killed predecessor left. The caller holds the instance lock.
 * @throws FolderDamaged, DiskFull
 */
export async function startServer(options: ServerOptions): Promise<Server> {
  const deadline = performance.now() + GIVE_UP_MS;
  for (;;) {
    const port = options.port ?? (await freePort());
    const child = launch(options, port);
    const { isReady, log, lastWords } = await untilReadyOrGone(child, options.logger);
    if (isReady) return serve(child, port, options, lastWords);
    if (performance.now() > deadline) throw explainFailure(options.folder, log);
    if (/lock file "postmaster\.pid" already exists/.test(log)) await clearPredecessor(options);
    // Shared memory of a predecessor whose last processes are still ending; a port that somebody took meanwhile.
    else if (!/still in use|starting up|could not bind/.test(log)) throw explainFailure(options.folder, log);
    await delay(100);
  }
}

function launch(options: ServerOptions, port: number): ChildProcess {
  // Statements in the server's log would carry what people wrote.
  const settings = {
    listen_addresses: '127.0.0.1',
    timezone: 'UTC',
    log_min_error_statement: 'panic',
    ...options.settings,
  };
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const command = [path.join(options.native, 'bin', 'postgres'), '-D', options.folder, '-p', String(port), '-k', ''];
  return spawn('/bin/sh', ['-c', WATCHDOG, 'sh', ...command, ...args], {
    ...(options.user ? { uid: options.user.uid, gid: options.user.gid } : {}),
    cwd: '/',
    env: CHILD_ENVIRONMENT,
    detached: true,
    stdio: ['pipe', 'ignore', 'pipe'],
  });
}

interface Outcome {
  readonly isReady: boolean;
  readonly log: string;
  /** The last PANIC and FATAL lines, also of later. */
  readonly lastWords: () => string;
}

function untilReadyOrGone(child: ChildProcess, logger: Logger): Promise<Outcome> {
  return new Promise((resolve) => {
    let log = '';
    let isOver = false;
    let words = '';
    const finish = (isReady: boolean) => {
      isOver = true;
      resolve({ isReady, log, lastWords: () => words });
    };
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      for (const line of text.split('\n').filter(Boolean)) {
        const [, level = ''] = LINE.exec(line) ?? [];
        if (/FATAL|PANIC/.test(level) && !TURNED_AWAY.test(line)) words = `${words}${line}\n`.slice(-4_000);
        if (/FATAL|PANIC/.test(level) && isOver && !TURNED_AWAY.test(line)) logger.warn({ line }, 'embedded database');
        // No ERROR and no DETAIL: they quote rows. Whoever sent the statement says what failed.
        else if (/FATAL|PANIC|LOG/.test(level)) logger.debug({ line }, 'embedded database');
      }
      if (isOver) return;
      log = tail(log + text);
      if (/ready to accept connections/.test(log)) finish(true);
    });
    child.once('error', (error) => {
      log += String(error);
      finish(false);
    });
    child.once('close', () => finish(false));
  });
}

function serve(child: ChildProcess, port: number, options: ServerOptions, lastWords: () => string): Server {
  const isOver = () => child.exitCode !== null || child.signalCode !== null;
  const ended = new Promise<void>((resolve) => {
    if (isOver()) resolve();
    else child.once('exit', () => resolve());
  });
  return {
    port,
    ended,
    isDiskFull: () => isDiskFull(lastWords()),
    async stop() {
      // A pool that was ended has only said so: ended at once, the server would complain of its clients, and they of it. The
      // number of a server that is gone may be another program's.
      if (!isOver()) signal(postmasterPid(options.folder), 'SIGTERM');
      await Promise.race([ended, delay(GOODBYE_MS, undefined, { ref: false })]);
      child.stdin?.end();
      const timer = setTimeout(() => signal(postmasterPid(options.folder), 'SIGQUIT'), STOP_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** The instance lock is ours, so a server that still runs on these files has lost its owner. */
async function clearPredecessor(options: ServerOptions): Promise<void> {
  const pid = postmasterPid(options.folder);
  if (pid !== undefined && (await isPostmaster(pid, options.folder))) {
    options.logger.info({ pid }, 'stopping the database that an earlier run left behind');
    signal(pid, 'SIGINT');
    return;
  }
  // Gone, a zombie, or its number now belongs to another program: Postgres cannot tell and would refuse for ever.
  fs.rmSync(path.join(options.folder, 'postmaster.pid'), { force: true });
}

async function isPostmaster(pid: number, folder: string): Promise<boolean> {
  if (!(await identifyProcess(pid))) return false;
  const command = await commandLine(pid);
  return /(^|\/)postgres /.test(command) && `${command} `.includes(` -D ${folder} `);
}

function postmasterPid(folder: string): number | undefined {
  try {
    const pid = Number(fs.readFileSync(path.join(folder, 'postmaster.pid'), 'utf8').split('\n')[0]);
    return Number.isInteger(pid) && pid > 1 ? pid : undefined;
  } catch {
    return undefined; // removed by its server at this moment
  }
}

function signal(pid: number | undefined, name: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(pid, name);
  } catch {
    // gone already
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

function tail(log: string): string {
  return log.slice(-4_000);
}
