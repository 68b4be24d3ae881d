import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CONGRESS, generatedJson } from '../support/generated-schedule.js';
import { type ServiceProcess, startProcess } from '../support/process.js';

const run = promisify(execFile);

describe('`hallway import` into a service that has just started', () => {
  let folder: string;
  let service: ServiceProcess;
  const data = () => path.join(folder, 'data');
  const hallway = (...words: string[]) =>
    run(process.execPath, ['dist/src/cli/main.js', ...words], {
      env: { PATH: process.env.PATH ?? '', DATA_DIR: data() },
    });
  const get = async (route: string) => {
    const token = readFileSync(path.join(data(), 'organizer.token'), 'utf8').trim();
    return (await fetch(service.url + route, { headers: { authorization: `Bearer ${token}` } })).text();
  };

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'hallway-import-'));
    service = await startProcess({ DATA_DIR: data(), LOG_LEVEL: 'warn', HALLWAY_DEMO: 'off' });
    await service.printed(/is ready/);
  }, 60_000);
  afterAll(async () => {
    await service.end('SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  });

  it('a congress of a thousand sessions is there within seconds, under its acronym', async () => {
    const file = path.join(folder, 'schedule.json');
    writeFileSync(file, JSON.stringify(generatedJson(CONGRESS)));
    const started = performance.now();
    const { stdout } = await hallway('import', file);
    const took = performance.now() - started;
    expect(stdout).toContain('generated: 1080 sessions, 72 rooms, 1080 changed, 0 odd');
    // It costs two seconds of CPU; how long these take is up to whoever else uses the cores.
    expect(took).toBeLessThan(10_000);
  }, 30_000);

  it.each(['xml', 'json'])(
    'its schedule.%s imports again and changes nothing',
    async (format) => {
      const file = path.join(folder, `export.${format}`);
      writeFileSync(file, await get(`/v1/conferences/generated/schedule.${format}`));
      const { stdout } = await hallway('import', file);
      expect(stdout).toContain('generated: 1080 sessions, 72 rooms, 0 changed, 0 odd');
    },
    30_000,
  );

  it('a file that is no schedule is refused in words, with exit code 1', async () => {
    const file = path.join(folder, 'other.txt');
    writeFileSync(file, 'hello');
    await expect(hallway('import', file)).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^hallway: 200 this is neither a schedule.xml nor a schedule.json: /),
    });
  });
});
