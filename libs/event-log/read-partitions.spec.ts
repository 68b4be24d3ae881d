import { describe, expect, it } from '@jest/globals';
import { MAX_HANDED_BYTES } from './inbox.js';
import type { LogBatch, LogRecord, PartitionConsumer } from './port.js';
import { logHints } from './postgres/hints.js';
import { type Appended, readPartitions } from './read-partitions.js';

const PARTITIONS = 8;

/** A log in arrays, whose readings are counted; a reader that says what it was given, and when a partition is caught up. */
function openLog() {
  const logs = Array.from({ length: PARTITIONS }, (): LogRecord[] => []);
  const reads: number[] = [];
  const seen: string[] = [];
  const looks = new Set<() => void>();
  const changed = () => {
    for (const look of [...looks]) look();
  };
  const until = (condition: () => boolean) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!condition()) return;
        looks.delete(look);
        resolve();
      };
      looks.add(look);
      look();
    });
  let appended: Appended | undefined;
  const write = (partition: number, text: string, bytes = 0): LogRecord => {
    const log = logs[partition] ?? [];
    const record = {
      offset: BigInt(log.length),
      key: text,
      headers: new Map(),
      value: Buffer.alloc(bytes),
      timestamp: 0,
    };
    log.push(record);
    return record;
  };
  const read = async (partition: number, from: bigint, limit: number): Promise<LogBatch> => {
    reads.push(partition);
    const log = logs[partition] ?? [];
    const records = log.slice(Number(from), Number(from) + limit);
    setImmediate(changed);
    const nextOffset = from + BigInt(records.length);
    return { partition, fetchedOffset: from, records, nextOffset, highWatermark: BigInt(log.length) };
  };
  const consumer: PartitionConsumer = {
    claim: async () => 0n,
    async consume({ partition, records, nextOffset }) {
      seen.push(...records.map(({ key }) => `${partition}:${key}`));
      setImmediate(changed);
      return nextOffset;
    },
    holds: () => true,
    lost: () => undefined,
  };
  const subscription = readPartitions({ partitions: PARTITIONS, read, heads: async () => new Map() }, consumer, {
    fetchSize: 3,
    pollMs: 60_000,
    onAppended(reader) {
      appended = reader;
      return () => undefined;
    },
  });
  return {
    reads,
    seen,
    until,
    /** Each partition was found empty, and its reader waits. */
    async caughtUp() {
      await until(() => new Set(reads).size === PARTITIONS);
      reads.length = 0;
    },
    /** By this process: committed, then handed over. */
    append(partition: number, ...texts: string[]) {
      const records = texts.map((text) => write(partition, text));
      appended?.hand(partition, records);
    },
    appendLarge(partition: number, text: string, bytes: number) {
      appended?.hand(partition, [write(partition, text, bytes)]);
    },
    /** By another process, which tells of it. */
    appendElsewhere(partition: number, text: string) {
      write(partition, text);
      appended?.wake(partition);
    },
    writeElsewhere: write,
    close: () => subscription.close(),
  };
}

describe('reading a log at hand', () => {
  it('case S17: an append wakes the reader of its own partition and no other', async () => {
    const log = openLog();
    await log.caughtUp();
    log.appendElsewhere(3, 'a');
    await log.until(() => log.seen.length === 1);
    expect(log.reads).toEqual([3]);
    await log.close();
  });

  it('case S17: what this process appends is handed to its reader; the log is not read for it', async () => {
    const log = openLog();
    await log.caughtUp();
    for (let number = 0; number < 10; number++) {
      log.append(number % 2, `a${number}`, `b${number}`);
      await log.until(() => log.seen.length === 2 * (number + 1));
    }
    expect(log.reads).toEqual([]);
    expect(log.seen.slice(0, 4)).toEqual(['0:a0', '0:b0', '1:a1', '1:b1']);
    await log.close();
  });

  it('what other processes append in between is read from the log, each record once and in order', async () => {
    const log = openLog();
    await log.caughtUp();
    log.append(0, 'own');
    log.writeElsewhere(0, 'foreign');
    log.append(0, 'own too', 'and this');
    await log.until(() => log.seen.length === 4);
    log.append(0, 'last');
    await log.until(() => log.seen.length === 5);
    expect(log.seen).toEqual(['0:own', '0:foreign', '0:own too', '0:and this', '0:last']);
    await log.close();
  });

  it('more than one reading is handed over in parts, without reading', async () => {
    const log = openLog();
    await log.caughtUp();
    log.append(5, 'a', 'b', 'c', 'd', 'e', 'f', 'g');
    await log.until(() => log.seen.length === 7);
    expect(log.seen.join()).toBe('5:a,5:b,5:c,5:d,5:e,5:f,5:g');
    expect(log.reads).toEqual([]);
    await log.close();
  });

  it('case S21: what is too large to be kept for a busy reader is read from the log', async () => {
    const log = openLog();
    await log.caughtUp();
    log.append(1, 'small');
    log.appendLarge(1, 'large', MAX_HANDED_BYTES + 1);
    log.append(1, 'after');
    await log.until(() => log.seen.length === 3);
    expect(log.seen).toEqual(['1:small', '1:large', '1:after']);
    expect(log.reads.length).toBeGreaterThan(0);
    await log.close();
  });
});

describe('hints of appends', () => {
  const woken = (payload: string, own = logHints('me')) => {
    const partitions: (number | undefined)[] = [];
    own.read(payload, (partition) => partitions.push(partition));
    return partitions;
  };

  it('case S17: the echo of an own append wakes nothing', () => {
    const own = logHints('me');
    expect(woken(own.payload(3))).toEqual([]);
    expect(woken(logHints('other').payload(3))).toEqual([3]);
  });

  it('those that wait are told together, each partition once', () => {
    const other = logHints('other');
    const waiting = [1, 2, 1, 7].map((partition) => other.payload(partition)).reduce(other.join);
    expect(woken(waiting)).toEqual([1, 2, 7]);
  });

  it('a hint that cannot be read wakes all', () => {
    for (const payload of ['', 'other', 'other x', 'other 1 -2']) expect(woken(payload)).toEqual([undefined]);
  });
});
