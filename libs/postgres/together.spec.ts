import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { context, createContextKey, ROOT_CONTEXT } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { together } from './together.js';

/** Calls wait until they are let go. */
function gate(onCall: () => void = () => undefined) {
  const calls: { items: readonly number[]; answer(): void; fail(error: Error): void }[] = [];
  const ask = together<number, string>(
    (items) =>
      new Promise((resolve, reject) => {
        onCall();
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

describe('together, in traces', () => {
  const WHO = createContextKey('who');
  const as = <T>(who: string, work: () => T): T => context.with(ROOT_CONTEXT.setValue(WHO, who), work);
  beforeEach(() => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  });
  afterEach(() => context.disable());

  it('each call stands in that of the first who asked for it, and no answer in another’s than its own', async () => {
    const seen: unknown[] = [];
    const { calls, ask } = gate(() => seen.push(context.active().getValue(WHO)));
    const asked = ['ann', 'ben', 'cem', 'dot', 'eve'].map((who, item) =>
      as(who, async () => {
        await ask(item);
        return context.active().getValue(WHO);
      }),
    );
    for (let call = 0; call < 3; call++) {
      calls[call]?.answer();
      await new Promise(setImmediate);
    }
    expect(await Promise.all(asked)).toEqual(['ann', 'ben', 'cem', 'dot', 'eve']);
    expect(seen).toEqual(['ann', 'ben', 'eve']);
  });
});
