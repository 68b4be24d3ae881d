import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort, until } from '../../test/support/process.js';
import { createTestDatabase, type TestDatabase } from '../../test/support/test-database.js';
import { assertSessions, PooledConnection } from './index.js';

function pgbouncerMissing(): boolean {
  if (spawnSync('pgbouncer', ['--version'], { stdio: 'ignore' }).status === 0) return false;
  if (process.env.CI === 'true') throw new Error('pgbouncer is missing: npm run setup');
  process.stderr.write('skipped: pgbouncer is missing (npm run setup)\n');
  return true;
}

(pgbouncerMissing() ? describe.skip : describe)('connections to the database, with and without PgBouncer', () => {
  let database: TestDatabase;
  let pooler: ChildProcess | undefined;
  let folder: string | undefined;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterEach(() => {
    pooler?.kill('SIGKILL');
    if (folder) rmSync(folder, { recursive: true, force: true });
  });
  afterAll(() => database.drop());

  /** @returns where the pooler listens */
  async function pool(mode: string, ignored: string): Promise<string> {
    const url = new URL(database.url);
    const port = await freePort();
    const user = decodeURIComponent(url.username);
    folder = mkdtempSync(path.join(tmpdir(), 'hallway-pooler-'));
    chmodSync(folder, 0o755);
    const file = path.join(folder, 'pgbouncer.ini');
    const password = url.password ? ` password=${decodeURIComponent(url.password)}` : '';
    writeFileSync(
      file,
      `[databases]
* = host=${url.hostname} port=${url.port} user=${user}${password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
auth_type = any
unix_socket_dir =
pool_mode = ${mode}
ignore_startup_parameters = ${ignored}
`,
    );
    // As root it refuses to run.
    const asNobody = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
    pooler = spawn('pgbouncer', [...asNobody, file], { stdio: 'ignore' });
    await until(
      'the pooler listens',
      () =>
        new Promise<boolean>((resolve) => {
          const socket = connect(port, '127.0.0.1', () => {
            socket.destroy();
            resolve(true);
          });
          socket.on('error', () => resolve(false));
        }),
    );
    url.port = String(port);
    return url.href;
  }

  it('a direct connection is a session', async () => {
    await expect(assertSessions(database.url)).resolves.toBeUndefined();
  });

  it.each([
    ['transaction', 'extra_float_digits', /takes no options of a session/],
    ['transaction', 'extra_float_digits, options', /ignores the options of a session/],
    ['session', 'extra_float_digits, options', /ignores the options of a session/],
  ])('case M2: PgBouncer in %s mode that ignores %s is refused by name', async (mode, ignored, said) => {
    const refused = await assertSessions(await pool(mode, ignored)).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(PooledConnection);
    expect(String(refused)).toMatch(said);
  });
});
