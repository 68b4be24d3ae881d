import { describe, expect, it } from '@jest/globals';
import { ContentSum } from './content-sum.js';

type Told = readonly [key: string, version: number, mark: string];

const sumOf = (...documents: readonly Told[]): number => {
  const sum = new ContentSum();
  for (const document of documents) sum.add(...document);
  return sum.value;
};

describe('the sum of a channel’s documents', () => {
  it('is a whole number that JSON carries, the same in any order, and 0 of nothing', () => {
    const a: Told = ['question/1', 7, 'b4o8UloO'];
    const b: Told = ['question/2', 9, 'zzzzzzzz'];
    const c: Told = ['held/s1', 2, ''];
    expect(sumOf(a, b, c)).toBe(sumOf(c, a, b));
    expect(JSON.parse(JSON.stringify(sumOf(a, b, c)))).toBe(sumOf(a, b, c));
    const sum = new ContentSum();
    for (const document of [a, b, c]) sum.add(...document);
    for (const document of [b, c]) sum.remove(...document);
    expect(sum.value).toBe(sumOf(a));
    sum.remove(...a);
    expect(sum.value).toBe(0);
  });

  it('is cyrb53 of one document, as other clients have it', () => {
    expect(sumOf(['a', 4, 'm4'])).toBe(cyrb53('a 4 m4'));
    expect(sumOf(['x'.repeat(200), 2 ** 53 - 1, 'ü'])).toBe(cyrb53(`${'x'.repeat(200)} ${2 ** 53 - 1} ü`));
  });

  it('tells another key, version and mark apart', () => {
    const known = new Set<number>();
    for (let version = 0; version < 2_000; version++)
      for (const mark of ['', 'b4o8UloO', 'b4o8UloP']) known.add(sumOf([`k/${version % 7}`, version, mark]));
    expect(known.size).toBe(6_000);
  });
});

/** As published (github.com/bryc/code, public domain). */
function cyrb53(text: string, seed = 0): number {
  let h1 = 0xdeadbeef ^ seed;
  let h2 = 0x41c6ce57 ^ seed;
  for (let i = 0; i < text.length; i++) {
    const ch = text.charCodeAt(i);
    h1 = Math.imul(h1 ^ ch, 2654435761);
    h2 = Math.imul(h2 ^ ch, 1597334677);
  }
  h1 = Math.imul(h1 ^ (h1 >>> 16), 2246822507);
  h1 ^= Math.imul(h2 ^ (h2 >>> 13), 3266489909);
  h2 = Math.imul(h2 ^ (h2 >>> 16), 2246822507);
  h2 ^= Math.imul(h1 ^ (h1 >>> 13), 3266489909);
  return 4294967296 * (2097151 & h2) + (h1 >>> 0);
}
