import { describe, expect, it } from '@jest/globals';
import { together } from './together.js';

/** Calls wait until they are let go. */
function gate() {
  const calls: { items: readonly number[]; answer(): void; fail(error: Error): void }[] = [];
  const ask = together<number, string>(
    (items) =>
      new Promise((resolve, reject) => {
        calls.push({ items, answer: () => resolve(items.map(String)), fail: reject });
      }),
    3,
  );
  return { calls, ask };
}

describe('together', () => {
  it('lets the first one go alone and all who come meanwhile go at once, in order, each with its own answer', async () => {
    const { calls, ask } = gate();
    const answers = [1, 2, 3].map(ask);
    expect(calls.map(({ items }) => items)).toEqual([[1]]);
    calls[0]?.answer();
    expect(await answers[0]).toBe('1');
    expect(calls[1]?.items).toEqual([2, 3]);
    calls[1]?.answer();
    expect(await Promise.all(answers)).toEqual(['1', '2', '3']);
  });

  it('takes no more at once than it may', async () => {
    const { calls, ask } = gate();
    const answers = [1, 2, 3, 4, 5].map(ask);
    calls[0]?.answer();
    await answers[0];
    expect(calls[1]?.items).toEqual([2, 3, 4]);
    calls[1]?.answer();
    await answers[3];
    expect(calls[2]?.items).toEqual([5]);
    calls[2]?.answer();
    expect(await answers[4]).toBe('5');
  });

  it('tells a failure to those of that call alone, and goes on', async () => {
    const { calls, ask } = gate();
    const [first, second] = [1, 2].map(ask);
    calls[0]?.fail(new Error('lost'));
    await expect(first).rejects.toThrow('lost');
    calls[1]?.answer();
    expect(await second).toBe('2');
  });
});
