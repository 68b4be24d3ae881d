import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parseBounded, subscribeSchema } from './messages.js';
import { REFUSALS, Refusal } from './refusals.js';

const spec = readFileSync('libs/protocol/SPEC.md', 'utf8');
const rules = new Set([...spec.matchAll(/^- \*\*([A-Z]\d+)\*\*/gm)].map(([, rule]) => rule));

function* specFiles(folder: string): Iterable<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* specFiles(file);
    else if (/[.-]spec\.ts$/.test(entry.name)) yield file;
  }
}

const tested = new Set(
  ['libs', 'src', 'test']
    .flatMap((folder) => [...specFiles(folder)])
    .flatMap((file) => [...readFileSync(file, 'utf8').matchAll(/it\(\s*['`]\[([A-Z]\d+)\]/g)].map(([, rule]) => rule)),
);

describe('SPEC.md', () => {
  it('has a test for each rule, and each test is of a rule', () => {
    expect([...rules].filter((rule) => !tested.has(rule))).toEqual([]);
    expect([...tested].filter((rule) => !rules.has(rule))).toEqual([]);
  });

  it('[R2] has the same refusals as the program, each number once, in the class that its meaning asks for', () => {
    const rows = [...spec.matchAll(/^\| (\d+) +\| ([\w-]+) +\| (\d+) +\|$/gm)].map(([, code, name, http]) => ({
      code: Number(code),
      name,
      http: Number(http),
    }));
    const table = Object.entries(REFUSALS).map(([name, { code, http }]) => ({ code, name, http }));
    expect(rows).toEqual(table);
    expect(new Set(table.map(({ code }) => code)).size).toBe(table.length);
  });

  it('I9, I11: refuses what is too deep, malformed or not valid, naming fields and never values', () => {
    const nested = (levels: number): object => (levels === 0 ? {} : { channels: nested(levels - 1) });
    const refusal = (value: unknown): Refusal => {
      try {
        parseBounded(subscribeSchema, value);
      } catch (error) {
        return error as Refusal;
      }
      throw new Error('it was accepted');
    };
    expect(refusal(nested(40)).code).toBe(206);
    expect(refusal('text').code).toBe(200);
    expect(refusal({ channels: { 'my secret!': 'hunter2' } }).code).toBe(201);
    expect(refusal({ channels: { 'my secret!': 'hunter2' } }).message).not.toMatch(/secret|hunter2/);
  });
});
