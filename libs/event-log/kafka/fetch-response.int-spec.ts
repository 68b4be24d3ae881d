import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import kafkajs, { type Message, type Producer } from 'kafkajs';
import { kafkaMissing, openKafkaLog, startTestKafka, type TestKafka } from '../../../test/support/kafka.js';
import { until } from '../../../test/support/process.js';
import { openTestTopic, type TestTopic } from '../../../test/support/reading.js';
import { silent } from '../../../test/support/silent.js';
import { partitionOf } from '../partition.js';
import type { LogBatch, PartitionConsumer } from '../port.js';
import { createClient } from './client.js';
import { codecs } from './codecs.js';

const { CompressionCodecs, CompressionTypes } = kafkajs;
const run = kafkaMissing() ? describe.skip : describe;
const MB = 1024 * 1024;

/** 65 MB that are 65 kB on the wire. */
const bomb = (): Message => ({ key: 'bomb', value: Buffer.alloc(65 * MB), partition: 0 });
const plain = (value: string, partition = 0): Message => ({ key: 'k', value, partition });

run('a record batch that cannot be unpacked, on a real Kafka', () => {
  let kafka: TestKafka;
  let producer: Producer;
  let topic: TestTopic | undefined;

  beforeAll(async () => {
    kafka = await startTestKafka();
    producer = createClient({ brokers: [kafka.brokers], clientId: 'test' }, silent).producer();
    await producer.connect();
  }, 60_000);
  afterEach(async () => {
    await topic?.close();
    topic = undefined;
  });
  afterAll(async () => {
    await producer?.disconnect();
    await kafka?.remove();
  });

  const send = (name: string, messages: Message[], compression = CompressionTypes.None) =>
    producer.send({ topic: name, messages, compression });

  /** Of all broken streams that were tried, the only one that a broker takes: it reads no further than the last record. */
  async function sendWithTail(name: string, messages: Message[]) {
    const kept = CompressionCodecs[CompressionTypes.GZIP];
    CompressionCodecs[CompressionTypes.GZIP] = () => ({
      ...codecs.gzip,
      compress: async (encoder: { readonly buffer: Buffer }) =>
        Buffer.concat([await codecs.gzip.compress(encoder), Buffer.from('and more')]),
    });
    await send(name, messages, CompressionTypes.GZIP);
    CompressionCodecs[CompressionTypes.GZIP] = kept;
  }

  it('is one message that says so; what stands around it and in other partitions is read', async () => {
    topic = await openTestTopic(kafka.brokers);
    await send(topic.name, [plain('before'), plain('elsewhere', 1)]);
    await send(topic.name, [plain('small'), bomb(), plain('small')], CompressionTypes.GZIP);
    await sendWithTail(topic.name, [plain('cannot'), plain('be read')]);
    await send(topic.name, Array(20_001).fill(plain('')), CompressionTypes.GZIP);
    await send(topic.name, [plain('after'), plain('there', 1)]);
    const { records, textsOf } = topic.read();
    await until('all are read', () => records.length === 7, 20_000);
    expect(textsOf(0)).toEqual([
      '0 before',
      expect.stringMatching(/^records 1–3 of a batch cannot be unpacked: .*larger than 67108864/),
      'records 4–5 of a batch cannot be unpacked: incorrect header check',
      'records 6–20006 of a batch cannot be unpacked: more than 20000 records',
      '20007 after',
    ]);
    expect(textsOf(1)).toEqual(['0 elsewhere', '1 there']);
    const broken = records.find(({ unreadable }) => unreadable);
    expect(broken).toMatchObject({ offset: 3n, key: null, headers: {} });
    expect(broken?.value?.length).toBeGreaterThan(50_000);
  }, 60_000);

  it('what unpacks to more than one answer may hold is read all the same, bit by bit', async () => {
    topic = await openTestTopic(kafka.brokers);
    const large = (): Message => ({ ...plain(''), value: Buffer.alloc(20 * MB) });
    for (let turn = 0; turn < 6; turn++) await send(topic.name, [large()], CompressionTypes.GZIP);
    await send(topic.name, [plain('last')]);
    const { records } = topic.read();
    await until('all are read', () => records.length === 7, 20_000);
    expect(records.map(({ offset }) => offset)).toEqual([0n, 1n, 2n, 3n, 4n, 5n, 6n]);
    // Unpacked at once they were 120 MB.
    expect(new Set(records.map(({ readAt }) => readAt)).size).toBeGreaterThan(1);
  }, 60_000);

  it('I4: in the log it stops its partition with an alarm, nothing is passed over, and the others go on', async () => {
    const opened = await openKafkaLog(kafka.brokers);
    const texts: string[] = [];
    const claims: number[] = [];
    const consumer: PartitionConsumer = {
      async claim(partition) {
        claims.push(partition);
        return checkpoints.get(partition) ?? 0n;
      },
      async consume(batch: LogBatch) {
        texts.push(...batch.records.map(({ value }) => String(value)));
        checkpoints.set(batch.partition, batch.nextOffset);
        return batch.nextOffset;
      },
      holds: () => true,
      lost: () => undefined,
    };
    const checkpoints = new Map<number, bigint>();
    const append = (key: string, value: string) =>
      opened.log.append(key, [{ headers: new Map(), value: Buffer.from(value) }]);
    try {
      const { partition } = await append('here', 'before');
      await send(opened.spec.name, [{ ...bomb(), partition }], CompressionTypes.GZIP);
      await append('here', 'after');
      const elsewhere = ['a', 'b', 'c', 'd', 'e'].filter((key) => partitionOf(key, 4) !== partition);
      const subscription = opened.log.subscribe(consumer, 'fold');
      await until('the alarm', () => subscription.status().alarms.length > 0, 20_000);
      for (let turn = 0; turn < 10; turn++) {
        for (const key of elsewhere) await append(key, `${key}${turn}`);
        await until('the others are read', () => elsewhere.every((key) => texts.includes(`${key}${turn}`)), 20_000);
      }
      // It is not claimed again twice a second, only to end like that again.
      expect(claims.filter((one) => one === partition)).toHaveLength(1);
      expect(subscription.status().alarms).toEqual([
        expect.stringMatching(new RegExp(`^partition ${partition}: records 1–1 of a batch cannot be unpacked`)),
      ]);
      expect(texts).toContain('before');
      expect(texts).not.toContain('after');
      expect(checkpoints.get(partition)).toBe(1n);
    } finally {
      await opened.close();
    }
  }, 60_000);
});
