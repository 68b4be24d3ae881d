/** What every log must keep, written once and run on each adapter. It asserts what is observable on all of them, Kafka included. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { partitionOf } from './partition.js';
import type { EventLog, LogBatch, LogRecord, PartitionConsumer, RecordToAppend } from './port.js';

export interface ContractLog {
  readonly log: EventLog;
  close(): Promise<void>;
}

const record = (value: string | null, headers: Readonly<Record<string, string>> = {}): RecordToAppend => ({
  headers: new Map(Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)])),
  value: value === null ? null : Buffer.from(value),
});

const texts = (records: readonly LogRecord[]) => records.map(({ value }) => value?.toString() ?? null);

/** Resolves when `condition` holds; looked at whenever something arrives. */
function gate() {
  const waiting = new Set<() => void>();
  return {
    changed: () => {
      for (const look of [...waiting]) look();
    },
    until: (condition: () => boolean) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (!condition()) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
  };
}

/** A consumer of one key's partition that writes down all that happens to it. */
function recorder(log: EventLog, key: string, over: Partial<PartitionConsumer> = {}) {
  const partition = partitionOf(key, log.partitions);
  const seen: string[] = [];
  const calls: string[] = [];
  const { changed, until } = gate();
  let running = 0;
  const consumer: PartitionConsumer = {
    async claim(offered) {
      if (offered !== partition) return null;
      calls.push('claim');
      return over.claim ? over.claim(offered) : (await log.watermarks(offered)).low;
    },
    async consume(batch) {
      running += 1;
      if (running > 1) calls.push('OVERLAP');
      calls.push('consume');
      try {
        if (over.consume) return await over.consume(batch);
        seen.push(...batch.records.filter((one) => one.key === key).map(({ value }) => value?.toString() ?? ''));
        return batch.nextOffset;
      } finally {
        running -= 1;
        changed();
      }
    },
    holds: (asked) => over.holds?.(asked) ?? true,
    lost(lost) {
      calls.push(`lost ${lost}`);
      over.lost?.(lost);
      changed();
    },
  };
  return { consumer, seen, calls, until, changed, partition };
}

export function describeEventLogContract(name: string, make: () => Promise<ContractLog>): void {
  describe(`log port on ${name}`, () => {
    let made: ContractLog;
    let log: EventLog;
    const key = () => `conference-${randomUUID()}`;

    beforeAll(async () => {
      made = await make();
      log = made.log;
    });
    afterAll(() => made.close());

    it('appends one command as contiguous offsets of the key’s partition and reads it back whole', async () => {
      const conference = key();
      const before = await log.watermarks(partitionOf(conference, log.partitions));
      const at = await log.append(conference, [record('a', { ce_id: '1', empty: '' }), record('b'), record(null)]);
      expect(at).toEqual({ partition: partitionOf(conference, log.partitions), offset: before.high });
      const batch = await log.read(at.partition, at.offset, 10);
      expect(batch.records.map(({ offset }) => offset)).toEqual([at.offset, at.offset + 1n, at.offset + 2n]);
      expect(texts(batch.records)).toEqual(['a', 'b', null]);
      expect(batch.records[0]?.key).toBe(conference);
      expect([...(batch.records[0]?.headers ?? [])].map(([header, value]) => [header, value.toString()])).toEqual([
        ['ce_id', '1'],
        ['empty', ''],
      ]);
      expect(batch).toMatchObject({
        fetchedOffset: at.offset,
        nextOffset: at.offset + 3n,
        highWatermark: at.offset + 3n,
      });
    });

    it('keeps bytes exact, whatever they are', async () => {
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
      const at = await log.append(key(), [{ headers: new Map([['bytes', bytes]]), value: bytes }]);
      const [stored] = (await log.read(at.partition, at.offset, 1)).records;
      expect(stored?.value?.equals(bytes)).toBe(true);
      expect(stored?.headers.get('bytes')?.equals(bytes)).toBe(true);
    });

    it('stamps records itself unless an import gives the time', async () => {
      const before = Date.now() - 60_000;
      const at = await log.append(key(), [record('now'), { ...record('then'), timestamp: 1_234_567_890_123 }]);
      const [now, then] = (await log.read(at.partition, at.offset, 2)).records;
      expect(now?.timestamp).toBeGreaterThan(before);
      expect(then?.timestamp).toBe(1_234_567_890_123);
    });

    it('answers an empty batch at the end, and respects the limit', async () => {
      const at = await log.append(key(), [record('1'), record('2'), record('3')]);
      const { high } = await log.watermarks(at.partition);
      expect(await log.read(at.partition, high, 5)).toMatchObject({
        records: [],
        nextOffset: high,
        fetchedOffset: high,
      });
      expect((await log.read(at.partition, at.offset, 2)).records).toHaveLength(2);
    });

    it('gives many writers gapless offsets, each command in one piece', async () => {
      const conference = key();
      const partition = partitionOf(conference, log.partitions);
      const { high: start } = await log.watermarks(partition);
      const commands = Array.from({ length: 40 }, (_, command) => [
        record(`${command}.0`),
        record(`${command}.1`),
        record(`${command}.2`),
      ]);
      await Promise.all(commands.map((command) => log.append(conference, command)));
      const { records } = await log.read(partition, start, 1_000);
      expect(records.map(({ offset }) => offset)).toEqual(records.map((_, index) => start + BigInt(index)));
      const all = texts(records);
      for (let at = 0; at < all.length; at += 3) {
        const command = all[at]?.split('.')[0];
        expect(all.slice(at, at + 3)).toEqual([`${command}.0`, `${command}.1`, `${command}.2`]);
      }
    });

    it('delivers in order, from the claimed offset on, old and new, never two calls at once', async () => {
      const conference = key();
      const first = await log.append(conference, [record('old')]);
      const { consumer, seen, calls, until } = recorder(log, conference, { claim: async () => first.offset });
      const subscription = log.subscribe(consumer, 'contract');
      await until(() => seen.length === 1);
      for (let number = 0; number < 20; number++) await log.append(conference, [record(String(number))]);
      await until(() => seen.length === 21);
      await subscription.close();
      expect(seen).toEqual(['old', ...Array.from({ length: 20 }, (_, number) => String(number))]);
      expect(calls).not.toContain('OVERLAP');
    });

    it('offers a declined partition again', async () => {
      const conference = key();
      const at = await log.append(conference, [record('x')]);
      let offers = 0;
      const { consumer, seen, until } = recorder(log, conference, {
        claim: async () => (++offers < 3 ? null : at.offset),
      });
      const subscription = log.subscribe(consumer, 'contract');
      await until(() => seen.includes('x'));
      await subscription.close();
      expect(offers).toBe(3);
    });

    it('takes the answer of consume for where to read next: forward, back, and "no longer mine"', async () => {
      const conference = key();
      const at = await log.append(conference, [record('a'), record('b')]);
      const fetched: bigint[] = [];
      const answers: (bigint | null)[] = [at.offset + 1n, at.offset, null];
      const { consumer, calls, until } = recorder(log, conference, {
        claim: async () => at.offset,
        consume: async (batch: LogBatch) => {
          fetched.push(batch.fetchedOffset);
          return answers.length > 0 ? (answers.shift() ?? null) : batch.nextOffset;
        },
      });
      const subscription = log.subscribe(consumer, 'contract');
      await until(() => fetched.length >= 4);
      await subscription.close();
      expect(fetched.slice(0, 4)).toEqual([at.offset, at.offset + 1n, at.offset, at.offset]);
      expect(calls.filter((call) => call === 'claim')).toHaveLength(2);
    });

    it('after a rejected batch claims anew and delivers again', async () => {
      const conference = key();
      const at = await log.append(conference, [record('again')]);
      let failures = 0;
      const seen: string[] = [];
      const { consumer, calls, until } = recorder(log, conference, {
        claim: async () => at.offset,
        consume: async (batch: LogBatch) => {
          if (failures++ === 0) throw new Error('a passing fault');
          seen.push(...batch.records.map(({ value }) => value?.toString() ?? ''));
          return batch.nextOffset;
        },
      });
      const subscription = log.subscribe(consumer, 'contract');
      await until(() => seen.length > 0);
      await subscription.close();
      expect(seen[0]).toBe('again');
      expect(calls.filter((call) => call === 'claim').length).toBeGreaterThanOrEqual(2);
    });

    it('offers a partition anew whose claim was lost, though nothing is appended', async () => {
      const conference = key();
      const at = await log.append(conference, [record('x')]);
      let claims = 0;
      let fenced = false;
      const { consumer, calls, seen, until, partition } = recorder(log, conference, {
        claim: async () => {
          claims += 1;
          fenced = false;
          return claims === 1 ? at.offset : at.offset + 1n;
        },
        holds: () => !fenced,
      });
      const subscription = log.subscribe(consumer, 'contract');
      await until(() => seen.length === 1);
      fenced = true;
      await until(() => calls.includes(`lost ${partition}`));
      await log.append(conference, [record('y')]);
      await until(() => seen.includes('y'));
      await subscription.close();
      expect(seen).toEqual(['x', 'y']);
      expect(claims).toBe(2);
    });

    it('says "lost" for what it held when closed, once, and delivers nothing after', async () => {
      const conference = key();
      await log.append(conference, [record('x')]);
      const { consumer, calls, seen, until, partition } = recorder(log, conference);
      const subscription = log.subscribe(consumer, 'contract');
      await until(() => seen.length > 0);
      await Promise.all([subscription.close(), subscription.close()]);
      const after = calls.length;
      await log.append(conference, [record('late')]);
      expect(calls.slice(-1)).toEqual([`lost ${partition}`]);
      expect(calls).toHaveLength(after);
      expect(seen).not.toContain('late');
    });

    it('has an identity that stays', async () => {
      const identity = await log.identity();
      expect(identity).not.toBe('');
      expect(await log.identity()).toBe(identity);
    });
  });
}
