/** A fresh topic that is not the log, and readers of it as the intake is one. */
import { randomUUID } from 'node:crypto';
import kafkajs from 'kafkajs';
import { type GroupReader, type GroupReaderOptions, type IncomingRecord, readGroup } from '#libs/event-log';
import { silent } from './silent.js';

export interface Read {
  readonly reader: GroupReader;
  readonly records: readonly IncomingRecord[];
  /** Offsets with what was read there, or why nothing could be. */
  textsOf(partition: number): readonly string[];
}

export interface TestTopic {
  readonly name: string;
  read(over?: Partial<GroupReaderOptions>): Read;
  /** Ends the readers. */
  close(): Promise<void>;
}

export async function openTestTopic(brokers: string): Promise<TestTopic> {
  const name = `intake-${randomUUID()}`;
  const admin = new kafkajs.Kafka({ brokers: [brokers], logLevel: kafkajs.logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.createTopics({ waitForLeaders: true, topics: [{ topic: name, numPartitions: 2 }] });
  await admin.disconnect();
  const readers: GroupReader[] = [];
  return {
    name,
    read({ handle = async () => undefined, ...over } = {}) {
      const records: IncomingRecord[] = [];
      const reader = readGroup({
        brokers: [brokers],
        clientId: 'test',
        topic: name,
        group: `group-of-${name}`,
        logger: silent,
        async handle(record, signal) {
          const later = await handle(record, signal);
          if (!later) records.push(record);
          return later;
        },
        ...over,
      });
      readers.push(reader);
      const textsOf = (wanted: number) =>
        records
          .filter(({ partition }) => partition === wanted)
          .map(({ offset, value, unreadable }) => unreadable ?? `${offset} ${value}`);
      return { reader, records, textsOf };
    },
    async close() {
      await Promise.all(readers.map((reader) => reader.close()));
    },
  };
}
