/** What whoever starts it can mend is said in a line, and the process ends; what only reads and writes a log ends, too. */
import { execFile } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTokens } from '../../src/doors/tokens/tokens.js';
import { api, freePort, openDemo, startProcess } from '../support/process.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { withTestLog } from '../support/test-log.js';

interface Ended {
  readonly code: number | string | null | undefined;
  readonly out: string;
  readonly err: string;
}

async function hallway(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  input = '',
): Promise<Ended> {
  const env = { PATH: process.env.PATH ?? '', ...(await withTestLog(environment)) };
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ['dist/src/cli/main.js', ...args],
      { env, timeout: 25_000, maxBuffer: 16 * 1024 * 1024 },
      (error, out, err) => resolve({ code: error ? error.code : 0, out, err }),
    );
    child.stdin?.end(input);
  });
}

describe('the command line', () => {
  let database: TestDatabase;
  let folder: string;
  let taken: Server;
  beforeAll(async () => {
    database = await createTestDatabase();
    folder = mkdtempSync(path.join(tmpdir(), 'hallway-starts-'));
    taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  });
  afterAll(async () => {
    taken.close();
    rmSync(folder, { recursive: true });
    await database.drop();
  });

  it('a port that is taken: one line, exit 1, and no partition was claimed', async () => {
    const { port } = taken.address() as AddressInfo;
    // Metrics are served all the same, and must not keep the process alive.
    const environment = { DATABASE_URL: database.url, PORT: String(port), METRICS_PORT: String(await freePort()) };
    const ended = await hallway(['start'], environment);
    expect(ended).toEqual({ code: 1, out: '', err: `hallway: 201 PORT: 127.0.0.1:${port} is taken\n` });
    expect((await database.pool.query('select 1 from generation')).rowCount).toBe(0);
  }, 30_000);

  it.each([
    [
      'nobody at its address',
      () => ({ DATABASE_URL: 'postgres://x@127.0.0.1:1/x' }),
      /^hallway: 201 DATABASE_URL: .*ECONNREFUSED/,
    ],
    [
      'no such database',
      () => ({ DATABASE_URL: `${database.url}-not` }),
      /^hallway: 201 DATABASE_URL: .*does not exist\n$/,
    ],
    ['a folder that is a file', () => ({ DATA_DIR: path.resolve('package.json') }), /^hallway: 201 DATA_DIR: /],
    ['a folder that cannot be made', () => ({ DATA_DIR: '/proc/none/data' }), /^hallway: 201 DATA_DIR: /],
  ])('%s: one line, exit 1', async (_, environment, said) => {
    const { code, err } = await hallway(['dead-letters', 'list'], environment());
    expect([code, err.split('\n').length, err]).toEqual([1, 2, expect.stringMatching(said)]);
  });

  it('case R11: a start on a damaged folder prints one line and ends with 1', async () => {
    const data = mkdtempSync(path.join(tmpdir(), 'hallway-damaged-'));
    const service = await startProcess({ DATA_DIR: data, HALLWAY_DEMO: 'off' });
    await service.printed(/is ready/);
    await service.end('SIGTERM');
    appendFileSync(path.join(data, 'postgres', 'postgresql.conf'), 'no such line\n');
    const started = await hallway(['start'], { DATA_DIR: data, PORT: '0', METRICS_PORT: 'off' });
    const said =
      /^hallway: 201 DATA_DIR: \S+postgresql\.conf is damaged \(syntax error line \d+, .*\): correct or remove that line\n$/;
    rmSync(data, { recursive: true });
    expect(started).toEqual({ code: 1, out: '', err: expect.stringMatching(said) });
  }, 60_000);

  it.each([
    [['bogus']],
    [['bogus', '--help']],
    [['help', 'bogus']],
    [['log', 'bogus', '-h']],
    [['send', 'bogus', '--help']],
  ])('no such command, help asked for or not: %j, exit 1', async (args) => {
    const said = "hallway: 200 unknown command 'bogus'\n";
    expect(await hallway(args, {})).toEqual({ code: 1, out: '', err: expect.stringMatching(`^${said}`) });
  });

  it.each([
    ['open-conference', '--languages', 'en', `a list is given as JSON: '["en"]'`],
    ['define-rooms', '--rooms', 'hall', `a list is given as JSON: '[{"id":"hall-a","name":"Hall A","order":1}]'`],
    ['delay-room', '--minutes', 'many', 'a whole number is wanted'],
    ['start-session', '--end-other', 'yes', 'true or false is wanted'],
  ])('send %s %s %s: says what is wanted, exit 1', async (command, flag, value, wanted) => {
    const ended = await hallway(['send', command, '-c', 'demo', flag, value], {});
    expect(ended).toEqual({ code: 1, out: '', err: `hallway: 200 ${flag}: ${wanted}\n` });
  });

  it('a conference’s log goes out into a file and comes in from a file and from standard input', async () => {
    const environment = { DATABASE_URL: database.url };
    const service = await startProcess(environment);
    await service.printed(/is ready/);
    const token = await (await createTokens(database.pool)).issue(
      { actor: 'olga', role: 'organizer', conference: '*' },
      600,
    );
    await openDemo(api(() => service.url, token));
    await service.end('SIGTERM');
    const file = path.join(folder, 'demo.ndjson');
    const exported = await hallway(['log', 'export', 'demo'], environment);
    writeFileSync(file, exported.out);
    const events = readFileSync(file, 'utf8').trim().split('\n').length - 1;
    expect(events).toBeGreaterThan(5);
    const there = { code: 0, out: `demo: 0 events appended, ${events} were there already\n`, err: '' };
    expect(await hallway(['log', 'import', file], environment)).toEqual(there);
    expect(await hallway(['log', 'import', '-'], environment, exported.out)).toEqual(there);
    const garbage = await hallway(['log', 'import', '-'], environment, 'garbage\n');
    expect([garbage.code, garbage.err]).toEqual([1, 'hallway: 200 line 1 is not JSON; nothing was appended\n']);
  }, 90_000);
});
