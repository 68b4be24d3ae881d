import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { declaredLimits, limitsTable } from './limits-page.js';

const isSource = (file: string) => file.endsWith('.ts') && !/spec\.ts$|\.d\.ts$|^src\/web\//.test(file);
const files = ['src', 'libs']
  .flatMap((root) => readdirSync(root, { recursive: true }).map((file) => `${root}/${String(file)}`))
  .filter(isSource)
  .sort();
const sources = new Map(files.map((file) => [file, readFileSync(file, 'utf8')]));

describe('docs/limits.md', () => {
  it('I9: lists every declared limit with its number, unit, file and what happens beyond it', async () => {
    const table = await limitsTable(sources, (file) => import(`../../${file}`));
    expect(readFileSync('docs/limits.md', 'utf8')).toContain(`-->\n${table}\n<!--`);
    expect(table.split('\n').length).toBeGreaterThan(5);
  }, 60_000);

  it('refuses a declaration that it could not place', () => {
    expect(declaredLimits('a.ts', "defineLimit({ name: 'a.b', value: 1")).toEqual(['a.b']);
    expect(() => declaredLimits('a.ts', "defineLimit({ value: 1, name: 'a.b'")).toThrow('a.ts');
  });
});
