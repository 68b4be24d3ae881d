import { describe, expect, it } from '@jest/globals';
import { CloseFailed, Closers } from './closers.js';
import { readConfig } from './config.js';
import { createLogger } from './logger.js';

const lines: Record<string, unknown>[] = [];
const logger = createLogger(readConfig({}), { write: (line) => void lines.push(JSON.parse(line)) });

describe('closers', () => {
  it('close in reverse order, once, however often they are asked', async () => {
    const closers = new Closers(logger);
    const closed: string[] = [];
    for (const name of ['database', 'log', 'gateway']) closers.add(name, async () => closed.push(name));
    await Promise.all([closers.close(), closers.close()]);
    await closers.close();
    expect(closed).toEqual(['gateway', 'log', 'database']);
  });

  it('case V36: each of them runs though others throw, reject or never end, and the failures are named', async () => {
    const closers = new Closers(logger);
    const closed: string[] = [];
    closers.add('database', () => closed.push('database'));
    closers.add('hangs', () => new Promise(() => undefined), 20);
    closers.add('rejects', async () => Promise.reject(new Error('no connection')));
    closers.add('log', () => closed.push('log'));
    closers.add('throws', () => {
      throw new Error('a bug');
    });
    const error = await closers.close().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(CloseFailed);
    expect((error as CloseFailed).failed).toEqual(['throws', 'rejects', 'hangs']);
    expect(closed).toEqual(['log', 'database']);
    expect(lines.map(({ name }) => name)).toEqual(['throws', 'rejects', 'hangs']);
  });
});
