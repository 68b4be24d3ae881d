import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { declaredLimits, limitsTable } from './limits-page.js';

const isSource = (file: string) => file.endsWith('.ts') && !/spec\.ts$|\.d\.ts$/.test(file);
const files = ['src', 'libs']
  .flatMap((root) => readdirSync(root, { recursive: true }).map((file) => `${root}/${String(file)}`))
  .filter(isSource)
  .sort();
const sources = new Map(files.map((file) => [file, readFileSync(file, 'utf8')]));

/** Numbers of formats, and what is loaded without the libraries. */
const NOT_LIMITS = ['MAX_NUMBER', 'MAX_RESTARTS', 'MAX_TIMESTAMP_AT'];

describe('docs/limits.md', () => {
  it('I9: lists every declared limit with its number, unit, file and what happens beyond it', async () => {
    const table = await limitsTable(sources, (file) => import(`../../${file}`));
    expect(readFileSync('docs/limits.md', 'utf8')).toContain(`-->\n${table}\n<!--`);
    expect(table.split('\n').length).toBeGreaterThan(5);
  }, 60_000);

  it('I9: leaves out no constant that is named as a maximum', () => {
    const bare = [...sources].flatMap(([file, text]) =>
      [...text.matchAll(/^(?:export )?const (MAX_[A-Z_]+) = [0-9]/gm)].map(([, name = '']) => ({ file, name })),
    );
    expect(bare.filter(({ file, name }) => !file.startsWith('src/web/') && !NOT_LIMITS.includes(name))).toEqual([]);
  });

  it('refuses a declaration that it could not place', () => {
    expect(declaredLimits('a.ts', "defineLimit({ name: 'a.b', value: 1")).toEqual(['a.b']);
    expect(() => declaredLimits('a.ts', "defineLimit({ value: 1, name: 'a.b'")).toThrow('a.ts');
  });
});
