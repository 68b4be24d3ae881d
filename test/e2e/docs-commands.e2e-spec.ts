/** Every command that the documentation quotes is run as it stands there, by a shell, against a real service; a flag that is gone fails here. */
import { spawn } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTokens } from '../../src/doors/tokens/tokens.js';
import { api, openDemo, type ServiceProcess, startProcess } from '../support/process.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

interface Quote {
  readonly command: string;
  readonly file: string;
}

/** The one that is not a document of the installation but a lesson: test/example.int-spec.ts builds and runs it. */
const LESSON = 'docs/add-a-capability.md';
const DOCUMENTS = ['README.md', 'CONTRIBUTING.md', 'docs/**/*.md', 'ops/**/*.yml'];
const COMMAND = /^(?:npx hallway\b|npm (?:run|start|test)\b|curl\b)/;

/** In fences line by line, continued lines as one; in prose between backticks. */
function quotesOf(file: string): readonly Quote[] {
  const text = readFileSync(file, 'utf8').replaceAll(/<!--[\s\S]*?-->/g, '');
  const fences = [...text.matchAll(/^```[^\n]*\n([\s\S]*?)^```/gm)].map(([, body = '']) => body);
  const prose = text.replaceAll(/^```[^\n]*\n[\s\S]*?^```/gm, '');
  const lines = fences.flatMap((body) => body.replaceAll(/\\\n\s*/g, ' ').split('\n'));
  const inline = [...prose.matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code);
  return [...lines, ...inline]
    .map((line) => line.trim().replace(/^\$ /, ''))
    .filter((line) => COMMAND.test(line))
    .map((command) => ({ command, file }));
}

const files = DOCUMENTS.flatMap((pattern) => globSync(pattern)).filter((file) => file !== LESSON);
const quotes = [...new Map(files.flatMap(quotesOf).map((quote) => [quote.command, quote])).values()];
const hallway = quotes.filter(({ command }) => command.startsWith('npx hallway'));

/** Run like the others, but they need what is not here; they say so, and by it that they were understood. */
const SAYS: readonly (readonly [RegExp, RegExp])[] = [
  [/^npx hallway (topics|dead-letters retry)\b/, /KAFKA_BROKERS/],
  [/^npx hallway generations (rollback|switch|drop)\b/, /^hallway: 209 /],
];
/** They go on until they are ended. */
const FOLLOWS = /^npx hallway tail\b/;
/** Named in a sentence, without what they need. */
const NAMED = /^npx hallway( [a-z-]+)+$/;

describe('commands in the documentation', () => {
  let database: TestDatabase;
  let service: ServiceProcess;
  let folder: string;

  const token = async () =>
    (await createTokens(database.pool)).issue({ actor: 'olga', role: 'organizer', conference: '*' }, 600);

  /** What the words in capitals stand for. */
  async function filled(command: string): Promise<string> {
    const { rows } = await database.pool.query<{ id: string }>(
      'select id from staff_token where id not in (select token from token_revocation where token is not null) limit 1',
    );
    const events = await database.pool.query<{ partition: number; offset: string }>(
      'select partition, "offset" from event_log order by time desc limit 1',
    );
    const values: Record<string, string> = {
      CONFERENCE: 'demo',
      ACTOR: 'mo',
      PERSON: `a-${Date.now()}`,
      ID: rows[0]?.id ?? '',
      PARTITION: String(events.rows[0]?.partition),
      OFFSET: String(events.rows[0]?.offset),
      HOST: '127.0.0.1',
      PORT: new URL(service.url).port,
    };
    return command
      .replaceAll(/\b[A-Z]{2,}\b/g, (word) => values[word] ?? word)
      .replaceAll('http://127.0.0.1:3000', service.url);
  }

  async function run(command: string): Promise<{ readonly code: number | null; readonly said: string }> {
    const producer = await (await createTokens(database.pool)).issue(
      { actor: 'venue-system', role: 'producer', conference: 'demo' },
      600,
    );
    const env = {
      PATH: `${path.join(folder, 'bin')}:${process.env.PATH ?? ''}`,
      DATABASE_URL: database.url,
      HALLWAY_URL: service.url,
      HALLWAY_TOKEN: await token(),
      TOKEN: producer,
    };
    const line = await filled(command);
    return new Promise((resolve) => {
      const child = spawn('/bin/sh', ['-c', line], {
        cwd: folder,
        env,
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true,
      });
      let said = '';
      const hear = (chunk: Buffer) => {
        said += chunk.toString();
        if (FOLLOWS.test(command)) process.kill(-(child.pid ?? 0), 'SIGINT');
      };
      child.stdout.on('data', hear);
      child.stderr.on('data', hear);
      child.once('close', (code) => resolve({ code, said }));
    });
  }

  /** `understood`, or what it said in place of doing what is written there. */
  async function verdict(command: string): Promise<string> {
    const { code, said } = await run(command);
    const isNamed = NAMED.test(command) && /missing required argument|required option|name one/.test(said);
    if (isNamed) return (await run(`${command} --help`)).code === 0 ? 'understood' : said;
    const needs = SAYS.find(([of]) => of.test(command))?.[1];
    if (needs && code !== 0) return needs.test(said) ? 'understood' : said;
    const isDone = (FOLLOWS.test(command) || code === 0) && !/^hallway: /m.test(said);
    return isDone ? 'understood' : `${code}: ${said}`;
  }

  beforeAll(async () => {
    database = await createTestDatabase();
    const producers = /HALLWAY_PRODUCERS='([^']+)'/.exec(readFileSync('docs/integrator.md', 'utf8'))?.[1] ?? '';
    service = await startProcess({ DATABASE_URL: database.url, HALLWAY_PRODUCERS: producers });
    await service.printed(/is ready/);
    const organizer = api(() => service.url, await token());
    await openDemo(organizer);
    await organizer.send('define-rooms', { rooms: [{ id: 'hall', name: 'Hall', order: 3 }] });
    const times = { start: '2026-12-01T10:00:00Z', end: '2026-12-01T11:00:00Z' };
    await organizer.send('schedule-session', { id: 'rollout', title: 'A roll-out', room: 'a', ...times });
    await organizer.send('grant-moderator', { moderator: 'mo', sessions: 'all' });
    await database.pool.query(
      `insert into dead_letter (topic, partition, "offset", reason, header_names, header_values, time)
       values ('conference.intake', 3, 42, '201 a test', '{}', '{}', clock_timestamp())`,
    );
    folder = mkdtempSync(path.join(tmpdir(), 'hallway-docs-'));
    const exported = await fetch(`${service.url}/v1/conferences/demo/schedule.xml`, {
      headers: { authorization: `Bearer ${await token()}` },
    });
    writeFileSync(path.join(folder, 'schedule.xml'), await exported.text());
    const npx = `#!/bin/sh\nshift\nexec ${process.execPath} ${path.resolve('dist/src/cli/main.js')} "$@"\n`;
    mkdirSync(path.join(folder, 'bin'));
    writeFileSync(path.join(folder, 'bin', 'npx'), npx, { mode: 0o755 });
  }, 90_000);

  afterAll(async () => {
    await service?.end('SIGTERM');
    await database?.drop();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  it('are found: of the command line, of npm and of curl', () => {
    const kinds = ['npx hallway', 'npm run', 'npm start', 'curl'];
    for (const kind of kinds)
      expect([kind, quotes.some(({ command }) => command.startsWith(kind))]).toEqual([kind, true]);
    expect(hallway.length).toBeGreaterThan(25);
  });

  it('case L: every `npm` script that is quoted exists', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
    const missing = quotes.filter(({ command }) => {
      const names = [...command.matchAll(/npm (?:run )?([\w:]+)/g)].map(([, name = '']) => name);
      return names.some((name) => !(name in scripts));
    });
    expect(missing).toEqual([]);
  });

  it.each(hallway.map(({ command, file }) => [command, file]))(
    'case L: %s (%s) does what it says',
    async (command) => {
      if (/revoke-moderator/.test(command)) {
        const organizer = api(() => service.url, await token());
        await organizer.send('grant-moderator', { moderator: 'mo', sessions: 'all' });
      }
      expect(await verdict(command)).toBe('understood');
    },
    60_000,
  );

  it.each(quotes.filter(({ command }) => command.startsWith('curl')).map(({ command, file }) => [command, file]))(
    'case L: %s (%s) is answered',
    async (command) => {
      const { code, said } = await run(command.replace('curl', 'curl --silent --fail-with-body'));
      expect([code, said]).toEqual([0, expect.any(String)]);
    },
    60_000,
  );
});
