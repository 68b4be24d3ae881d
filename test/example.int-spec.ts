/** docs/add-a-capability.md, built: its files are laid over a copy of the sources, checked by the compiler, and its spec is run. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const COPIED = ['src', 'libs', 'migrations', 'test/support', 'package.json', 'tsconfig.json', 'jest.config.mjs'];
const ROOT = process.cwd();

describe('the worked example of docs/add-a-capability.md', () => {
  let folder: string;
  const run = (file: string, ...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', path.join('node_modules', file), ...args],
      { cwd: folder, encoding: 'utf8' },
    );
    return { status, said: status === 0 ? '' : stdout + stderr };
  };
  const edit = (file: string, change: (text: string) => string) => {
    const target = path.join(folder, file);
    writeFileSync(target, change(readFileSync(target, 'utf8')));
  };

  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'hallway-example-'));
    for (const name of COPIED) cpSync(path.join(ROOT, name), path.join(folder, name), { recursive: true });
    symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
    const page = readFileSync('docs/add-a-capability.md', 'utf8');
    for (const [, file = '', code = ''] of page.matchAll(/```ts\n\/\/ (\S+)\n([\s\S]*?)```/g)) {
      mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
      writeFileSync(path.join(folder, file), code);
    }
    edit('src/conference/capabilities.ts', (text) =>
      text
        .replace('discussions, updates, access]', 'discussions, updates, applause, access]')
        .replace(
          'import type { Capability }',
          "import { applause } from './applause/index.js';\nimport type { Capability }",
        ),
    );
    edit('migrations/generation/index.ts', (text) =>
      text
        .replace('Updates1700000000104,\n];', 'Updates1700000000104,\n  Applause1700000000199,\n];')
        .replace('import { Updates', "import { Applause1700000000199 } from './0099-applause.js';\nimport { Updates"),
    );
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('compiles', () => {
    expect(run('typescript7/bin/tsc', '-p', 'tsconfig.json', '--noEmit', '--incremental', 'false')).toEqual({
      status: 0,
      said: '',
    });
  }, 120_000);

  it('its spec and the invariants hold', () => {
    const { status, said } = run(
      'jest/bin/jest.js',
      '--selectProjects=unit',
      '--testPathPatterns',
      'applause',
      'invariants',
    );
    expect(said).toBe('');
    expect(status).toBe(0);
  }, 120_000);
});
