/** The log in an array, with Kafka's promises: for tests and for joining stations without a disk. */
import { randomUUID } from 'node:crypto';
import { partitionOf } from '../partition.js';
import type {
  EventLog,
  LogBatch,
  LogRecord,
  LogSubscription,
  PartitionConsumer,
  Position,
  RecordToAppend,
  Watermarks,
} from '../port.js';
import { type Appended, type PartitionSource, readPartitions } from '../read-partitions.js';

const FETCH = 1_000;

export function createMemoryLog({ partitions }: { readonly partitions: number }): EventLog {
  const logs = Array.from({ length: partitions }, (): LogRecord[] => []);
  const identity = `memory/${randomUUID()}`;
  const readers = new Set<Appended>();
  const subscriptions = new Set<LogSubscription>();
  const at = (partition: number): LogRecord[] => {
    const log = logs[partition];
    if (!log) throw new RangeError(`there is no partition ${partition}`);
    return log;
  };

  const log: EventLog & PartitionSource = {
    partitions,
    identity: async () => identity,
    async append(key: string, records: readonly RecordToAppend[]): Promise<Position> {
      const partition = partitionOf(key, partitions);
      const target = at(partition);
      const base = BigInt(target.length);
      const now = Date.now();
      records.forEach(({ headers, value, timestamp }, index) => {
        target.push({ offset: base + BigInt(index), key, headers, value, timestamp: timestamp ?? now });
      });
      for (const reader of readers) reader.wake(partition);
      return { partition, offset: base };
    },
    async read(partition: number, from: bigint, limit: number): Promise<LogBatch> {
      const source = at(partition);
      const records = from < 0n ? [] : source.slice(Number(from), Number(from) + limit);
      return {
        partition,
        fetchedOffset: from,
        records,
        nextOffset: from + BigInt(records.length),
        highWatermark: BigInt(source.length),
      };
    },
    watermarks: async (partition: number): Promise<Watermarks> => ({ low: 0n, high: BigInt(at(partition).length) }),
    subscribe(consumer: PartitionConsumer): LogSubscription {
      const subscription = readPartitions(log, consumer, {
        fetchSize: FETCH,
        pollMs: 20,
        onAppended(reader) {
          readers.add(reader);
          return () => readers.delete(reader);
        },
      });
      subscriptions.add(subscription);
      return subscription;
    },
    alarms: () => [],
    forgetReaders: async () => undefined,
    async close() {
      await Promise.all([...subscriptions].map((subscription) => subscription.close()));
    },
  };
  return log;
}
