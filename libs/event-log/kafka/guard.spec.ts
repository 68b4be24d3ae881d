import { describe, expect, it } from '@jest/globals';
import type { LogBatch, Watermarks } from '../port.js';
import { judge } from './guard.js';

const topic = (marks: Watermarks, first: bigint | null = null, next = 0n) => ({
  watermarks: async () => marks,
  read: async (partition: number, from: bigint): Promise<LogBatch> => ({
    partition,
    fetchedOffset: from,
    nextOffset: next,
    highWatermark: marks.high,
    records: first === null ? [] : [{ offset: first, key: null, headers: new Map(), value: null, timestamp: 0 }],
  }),
});

describe('the guard of fetched offsets', () => {
  it('takes what was asked for', async () => {
    expect(await judge(topic({ low: 0n, high: 9n }), 0, 5n, 5n)).toEqual({ kind: 'take' });
  });
  it('reads again what lies behind the checkpoint', async () => {
    expect(await judge(topic({ low: 0n, high: 9n }), 0, 5n, 3n)).toEqual({ kind: 'seek' });
  });
  it('never jumps over records', async () => {
    expect(await judge(topic({ low: 0n, high: 9n }, 6n), 0, 5n, 8n)).toEqual({ kind: 'seek' });
  });
  it('passes over hidden records only', async () => {
    expect(await judge(topic({ low: 0n, high: 9n }, 8n), 0, 5n, 8n)).toEqual({ kind: 'take' });
    expect(await judge(topic({ low: 0n, high: 9n }, null, 8n), 0, 5n, 8n)).toEqual({ kind: 'take' });
  });
  it('halts where the log was truncated, at either end', async () => {
    expect(await judge(topic({ low: 7n, high: 9n }), 0, 5n, 7n)).toMatchObject({ kind: 'halt' });
    expect(await judge(topic({ low: 0n, high: 4n }), 0, 5n, 0n)).toMatchObject({ kind: 'halt' });
  });
});
