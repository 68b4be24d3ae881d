import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { type ChainStep, extended, markOf, proofAfter } from './history-chain.js';

const events = Array.from({ length: 60 }, (_, index) => [index * 3, randomUUID()] as const);

function proofOf(history: typeof events, sizes: readonly number[]): bigint {
  let proof = 0n;
  for (let at = 0, turn = 0; at < history.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    const step = history
      .slice(at, at + size)
      .reduce<ChainStep | undefined>((chain, [offset, id]) => extended(chain, offset, id), undefined);
    if (step) proof = proofAfter(proof, step);
    at += size;
  }
  return proof;
}

describe('the proof of history', () => {
  it('I3: is the same for any split into batches', () => {
    const whole = proofOf(events, [events.length]);
    for (const sizes of [[1], [7], [2, 5, 3], [59]]) expect(proofOf(events, sizes)).toBe(whole);
    expect(BigInt.asIntN(64, whole)).toBe(whole);
  });

  it('differs for another event, another order and another place', () => {
    const whole = proofOf(events, [1]);
    const [first, second, ...rest] = events;
    if (!first || !second) throw new Error('there are no events');
    expect(proofOf([[first[0], randomUUID()], second, ...rest], [1])).not.toBe(whole);
    expect(proofOf([[first[0], second[1]], [second[0], first[1]], ...rest], [1])).not.toBe(whole);
    expect(proofOf([[first[0] + 1, first[1]], second, ...rest], [1])).not.toBe(whole);
    expect(proofOf(events.slice(0, -1), [1])).not.toBe(whole);
  });

  it('a mark is 8 characters of any id', () => {
    expect(markOf('6f8a3c52-5a0e-5c7e-9d52-0f6f5c1f2a11')).toBe('b4o8UloO');
    expect(markOf('not a uuid')).toMatch(/^[\w-]{8}$/);
  });
});
