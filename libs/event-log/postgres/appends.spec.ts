import { describe, expect, it } from '@jest/globals';
import { context, createContextKey, ROOT_CONTEXT } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import type { Lane } from '../lanes.js';
import { LogUnavailable } from '../port.js';
import { type CommandToAppend, createAppends } from './appends.js';

const command = (key: string, records = 1, lane?: Lane): CommandToAppend => ({
  key,
  ...(lane ? { lane } : {}),
  records: Array.from({ length: records }, () => ({ headers: new Map(), value: Buffer.from(key) })),
});

const WHO = createContextKey('who');

/** A log that is written one statement at a time, each told to go on by hand. */
function handLog(refuses: (keys: readonly string[]) => Error | undefined = () => undefined) {
  const statements: string[][] = [];
  const contexts: unknown[] = [];
  const gates: (() => void)[] = [];
  let next = 0n;
  const appends = createAppends(async (_, commands) => {
    const keys = commands.map(({ key }) => key);
    statements.push(keys);
    contexts.push(context.active().getValue(WHO));
    await new Promise<void>((resolve) => gates.push(resolve));
    const error = refuses(keys);
    if (error) throw error;
    const base = next;
    next += BigInt(commands.reduce((sum, { records }) => sum + records.length, 0));
    return { base, time: 0 };
  });
  /** The statement under way goes on; the next one may rest a moment before it begins. */
  const go = async () => {
    const { length } = statements;
    gates.shift()?.();
    for (let turn = 0; turn < 20 && statements.length === length; turn++)
      await new Promise((resolve) => setTimeout(resolve, 1));
  };
  return { appends, statements, contexts, go };
}

describe('appends that wait for each other', () => {
  it('go alone at once; those that come meanwhile go together, each with its own offset', async () => {
    const { appends, statements, go } = handLog();
    const first = appends.add(0, command('a'));
    const others = [appends.add(0, command('b', 3)), appends.add(0, command('c', 2)), appends.add(1, command('d'))];
    expect(statements).toEqual([['a'], ['d']]);
    for (let turn = 0; turn < 4; turn++) await go();
    expect(statements).toEqual([['a'], ['d'], ['b', 'c']]);
    expect(await first).toBe(0n);
    expect(await Promise.all(others.slice(0, 2))).toEqual([2n, 5n]);
  });

  it('a statement holds at most 100 records, but any one command', async () => {
    const { appends, statements, go } = handLog();
    const all = [appends.add(0, command('a'))];
    for (const key of ['b', 'c', 'd']) all.push(appends.add(0, command(key, 60)));
    all.push(appends.add(0, command('e', 200)));
    for (let turn = 0; turn < 8; turn++) await go();
    await Promise.all(all);
    expect(statements).toEqual([['a'], ['b'], ['c'], ['d'], ['e']]);
  });

  it('case V17: a desk’s command is first in the next statement, however many votes came before it', async () => {
    const { appends, statements, go } = handLog();
    const all = [appends.add(0, command('under way'))];
    for (let vote = 0; vote < 200; vote++) all.push(appends.add(0, command(`vote ${vote}`)));
    all.push(appends.add(0, command('desk', 1, 'interactive')));
    for (let turn = 0; turn < 6; turn++) await go();
    expect(statements[1]?.[0]).toBe('desk');
    for (let turn = 0; turn < 6; turn++) await go();
    await Promise.all(all);
    const votes = statements.flat().filter((key) => key.startsWith('vote'));
    expect(votes).toEqual(Array.from({ length: 200 }, (_, vote) => `vote ${vote}`));
  });

  it('case V17: a statement holds at most 50 records of imports, or one import, beside the votes; neither starves', async () => {
    const { appends, statements, go } = handLog();
    const all = [appends.add(0, command('under way'))];
    for (let chunk = 0; chunk < 4; chunk++) all.push(appends.add(0, command(`import ${chunk}`, 30, 'bulk')));
    all.push(appends.add(0, command('import large', 200, 'bulk')));
    for (let vote = 0; vote < 300; vote++) all.push(appends.add(0, command(`vote ${vote}`)));
    for (let turn = 0; turn < 20; turn++) await go();
    await Promise.all(all);
    const imports = statements.map((keys) => keys.filter((key) => key.startsWith('import')));
    expect(imports.slice(1, 4)).toEqual([['import 0'], ['import 1'], ['import 2']]);
    expect(imports.flat().at(-1)).toBe('import large');
    expect(statements[1]?.filter((key) => key.startsWith('vote'))).toHaveLength(100);
  });

  it('one that the database refuses does not take its neighbours with it', async () => {
    const bad = new Error('invalid byte sequence');
    const { appends, go } = handLog((keys) => (keys.includes('bad') ? bad : undefined));
    const first = appends.add(0, command('a'));
    const others = ['b', 'bad', 'c'].map((key) => appends.add(0, command(key)));
    const settled = Promise.allSettled(others);
    for (let turn = 0; turn < 8; turn++) await go();
    await first;
    expect((await settled).map((one) => (one.status === 'fulfilled' ? one.value : one.reason))).toEqual([1n, bad, 2n]);
  });

  it('when nobody knows what became of a statement, nothing of it is sent again by itself', async () => {
    const { appends, statements, go } = handLog((keys) =>
      keys.includes('b') ? new LogUnavailable('lost') : undefined,
    );
    const first = appends.add(0, command('a'));
    const settled = Promise.allSettled([appends.add(0, command('b')), appends.add(0, command('c'))]);
    for (let turn = 0; turn < 4; turn++) await go();
    await first;
    expect((await settled).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(statements).toEqual([['a'], ['b', 'c']]);
    const later = appends.add(0, command('d'));
    await go();
    expect(await later).toBe(1n);
  });

  it('a statement stands in the trace of its first command, one that is sent again alone in its own', async () => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    const { appends, contexts, go } = handLog((keys) => (keys.includes('ben') ? new Error('no') : undefined));
    const all = ['ann', 'ben', 'cem'].map((who) =>
      context.with(ROOT_CONTEXT.setValue(WHO, who), () => appends.add(0, command(who))),
    );
    const settled = Promise.allSettled(all);
    for (let turn = 0; turn < 8; turn++) await go();
    await settled;
    context.disable();
    expect(contexts).toEqual(['ann', 'ben', 'ben', 'cem']);
  });

  it('I9: too many that wait are told to try again', async () => {
    const { appends, go } = handLog();
    const all = Array.from({ length: 10_001 }, () => appends.add(0, command('a')));
    await expect(appends.add(0, command('a'))).rejects.toThrow(LogUnavailable);
    for (let turn = 0; turn < 110; turn++) await go();
    expect((await Promise.all(all)).at(-1)).toBe(10_000n);
  });
});
