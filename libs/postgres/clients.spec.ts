/** A connection that breaks between two statements emits an event, which ends the process where nothing listens to it. */
import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

const TAKEN = /(?:new (?:pg\.)?Client|\bpool\.connect)\(/;
/** Lines after it in which the listener must stand, before anything is awaited on the connection. */
const SOON = 10;

describe('connections of their own', () => {
  it('case V36: each one, and each one taken from a pool, has a listener for its errors', () => {
    const files = globSync('{src,libs}/**/*.ts').filter(
      (file) => !file.endsWith('spec.ts') && /from 'pg'/.test(readFileSync(file, 'utf8')),
    );
    const found = files.flatMap((file) => {
      const lines = readFileSync(file, 'utf8').split('\n');
      return lines.flatMap((line, index) =>
        TAKEN.test(line) ? [{ at: `${file}:${index + 1}`, next: lines.slice(index, index + SOON).join('\n') }] : [],
      );
    });
    expect(found.length).toBeGreaterThanOrEqual(5);
    expect(found.filter(({ next }) => !/\.on\('error'/.test(next)).map(({ at }) => at)).toEqual([]);
  });
});
