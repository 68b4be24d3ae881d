import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Admin, Producer } from 'kafkajs';
import { kafkaMissing, startTestKafka, type TestKafka } from '../../../test/support/kafka.js';
import { until } from '../../../test/support/process.js';
import { openTestTopic, type TestTopic } from '../../../test/support/reading.js';
import { silent } from '../../../test/support/silent.js';
import { createClient } from './client.js';

const run = kafkaMissing() ? describe.skip : describe;

run('a reader of a group, on a real Kafka', () => {
  let kafka: TestKafka;
  let admin: Admin;
  let producer: Producer;
  let topic: TestTopic;

  beforeAll(async () => {
    kafka = await startTestKafka();
    const client = createClient({ brokers: [kafka.brokers], clientId: 'test' }, silent);
    admin = client.admin();
    producer = client.producer();
    await Promise.all([admin.connect(), producer.connect()]);
  }, 60_000);
  beforeEach(async () => {
    topic = await openTestTopic(kafka.brokers);
  });
  afterEach(() => topic.close());
  afterAll(async () => {
    await Promise.all([admin?.disconnect(), producer?.disconnect()]);
    await kafka?.remove();
  });

  const send = (partition: number, ...values: string[]) =>
    producer.send({ topic: topic.name, messages: values.map((value) => ({ key: 'k', partition, value })) });

  async function committed(partition: number): Promise<string | undefined> {
    const [found] = await admin.fetchOffsets({ groupId: `group-of-${topic.name}`, topics: [topic.name] });
    return found?.partitions.find((one) => one.partition === partition)?.offset;
  }

  it('what cannot be taken now holds its own partition alone, is told, and is taken in its place', async () => {
    let isThere = false;
    await send(0, 'a', 'wait', 'b');
    const { reader, textsOf } = topic.read({
      handle: async ({ value }) =>
        String(value) === 'wait' && !isThere ? { retryMs: 50, reason: '103 behind' } : undefined,
    });
    await until('it waits', () => reader.status().waiting[0] === '103 behind', 20_000);
    await send(1, 'x', 'y');
    await until('the other partition goes on', () => textsOf(1).length === 2);
    expect(textsOf(0)).toEqual(['0 a']);
    expect(await committed(0)).toBe('1');
    isThere = true;
    await until('it was taken', () => textsOf(0).length === 3);
    expect(textsOf(0)).toEqual(['0 a', '1 wait', '2 b']);
    expect(reader.status().waiting).toEqual({});
  }, 60_000);

  it('what was dealt with before a failure is not dealt with again', async () => {
    let fails = true;
    await send(0, 'a', 'b', 'c', 'd');
    const { textsOf } = topic.read({
      async handle({ value }) {
        if (String(value) === 'c' && fails) {
          fails = false;
          throw new TypeError('a bug, which kafkajs does not try again');
        }
        return undefined;
      },
    });
    await until('all are read', () => textsOf(0).length >= 4, 20_000);
    expect(textsOf(0)).toEqual(['0 a', '1 b', '2 c', '3 d']);
  }, 60_000);

  it('commits at least each second, however long a batch is', async () => {
    let release = () => {};
    const gate = new Promise<undefined>((resolve) => {
      release = () => resolve(undefined);
    });
    await send(0, ...Array.from({ length: 300 }, (_, at) => String(at)), 'last');
    topic.read({
      // Each takes its time, and the last one for ever: the batch does not end.
      handle: ({ value }) =>
        String(value) === 'last' ? gate : new Promise((resolve) => setTimeout(() => resolve(undefined), 10)),
    });
    try {
      await until('some are committed', async () => Number(await committed(0)) > 0, 20_000);
    } finally {
      release();
    }
  }, 60_000);

  it('a start that fails is tried again, and one that hangs is given up', async () => {
    let starts = 0;
    await send(0, 'a');
    const { textsOf } = topic.read({
      stalledMs: 1_000,
      prepare: async () => {
        starts++;
        if (starts === 1) throw new Error('not yet');
        if (starts === 2) await new Promise(() => undefined);
      },
    });
    await until('it is read', () => textsOf(0).length === 1, 30_000);
    expect(starts).toBe(3);
  }, 60_000);
});
