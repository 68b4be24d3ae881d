import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Api, api, freePort, openDemo, type ServiceProcess, startProcess, until } from '../support/process.js';

interface Tail {
  readonly child: ChildProcess;
  readonly out: () => string;
  readonly err: () => string;
  readonly ended: Promise<number | null>;
}

describe('`hallway tail`', () => {
  let folder: string;
  let service: ServiceProcess;
  let organizer: Api;
  const tails: Tail[] = [];

  const tail = (words: readonly string[], environment: Readonly<Record<string, string>> = {}): Tail => {
    const child = spawn(process.execPath, ['dist/src/cli/main.js', 'tail', '-c', 'demo', ...words], {
      env: { PATH: process.env.PATH ?? '', DATA_DIR: path.join(folder, 'data'), ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      err += chunk.toString();
    });
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    const made = { child, out: () => out, err: () => err, ended };
    tails.push(made);
    return made;
  };
  const post = (text: string) => organizer.send('post-update', { texts: { en: text }, severity: 'info' });

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'hallway-tail-'));
    service = await startProcess({ DATA_DIR: path.join(folder, 'data'), LOG_LEVEL: 'warn', HALLWAY_DEMO: 'off' });
    await service.printed(/is ready/);
    organizer = api(() => service.url, readFileSync(path.join(folder, 'data', 'organizer.token'), 'utf8').trim());
    await openDemo(organizer);
  }, 60_000);

  afterAll(async () => {
    for (const { child, ended } of tails) {
      child.kill('SIGKILL');
      await ended;
    }
    await service?.end('SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  });

  it('shows what is there, then each change once with its time, until Ctrl-C ends it with 0', async () => {
    await post('Before');
    const text = tail(['updates']);
    const json = tail(['updates', '--json']);
    await until('both show what was there', () => [text, json].every(({ out }) => out().includes('Before')));
    await post('After \u009b31m');
    await until('both show the change', () => [text, json].every(({ out }) => out().includes('After')));
    for (const one of [text, json]) {
      one.child.kill('SIGINT');
      expect(await one.ended).toBe(0);
      expect(one.out().match(/Before/g)).toHaveLength(1);
      expect(one.out().match(/After/g)).toHaveLength(1);
      // A control character is left out of a text before it is an event.
      expect(one.out()).toContain('After 31m');
    }
    expect(text.out()).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z update\/\S+ \{.*\}$/m);
    const lines = json.out().trimEnd().split('\n');
    expect(lines.map((line) => Object.keys(JSON.parse(line) as object))).toEqual(
      lines.map(() => ['at', 'key', 'version', 'body']),
    );
  }, 30_000);

  it('--once ends when everything that is there was shown', async () => {
    const one = tail(['schedule', '--once']);
    expect(await one.ended).toBe(0);
    expect(one.out()).toContain('session/s1 ');
    expect(one.out()).toContain('session/s2 ');
  }, 30_000);

  it('ends in silence when the reader of its output has gone, as `| head` does', async () => {
    const one = tail(['updates']);
    await until('it follows', () => one.err().includes('live'));
    one.child.stdout?.destroy();
    await post('Nobody reads this');
    expect(await one.ended).toBe(0);
    expect(one.err()).not.toMatch(/Error/);
  }, 30_000);

  it.each([
    ['an unknown channel', ['nope'], {}, /^hallway: 203 /m],
    ['an unknown conference', ['schedule', '-c', 'nope'], {}, /^hallway: 202 /m],
    ['a token that is none', ['schedule'], { HALLWAY_TOKEN: 'none' }, /^hallway: 300 /m],
    ['an address that is none', ['schedule', '--url', 'nowhere'], {}, /^hallway: 200 --url/m],
    // The local organizer credential goes to no other machine; .invalid is no machine at all.
    [
      'another machine without a token',
      ['schedule', '--url', 'http://hallway.invalid'],
      {},
      /^hallway: there is no token/m,
    ],
  ])(
    '%s is refused in one line with exit code 1',
    async (_, words, environment, expected) => {
      const one = tail(words, environment);
      expect(await one.ended).toBe(1);
      expect(one.err()).toMatch(expected);
      expect(one.err()).not.toMatch(/\n\s+at /);
      expect(one.out()).toBe('');
    },
    30_000,
  );

  it('says that nobody answers instead of waiting for it', async () => {
    const one = tail(['schedule', '--url', `http://127.0.0.1:${await freePort()}`]);
    expect(await one.ended).toBe(1);
    expect(one.err()).toMatch(/^hallway: no service answers at http:\/\/127/m);
  }, 30_000);
});
