import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import kafkajs, { type Admin } from 'kafkajs';
import { kafkaMissing, openKafkaLog, startTestKafka, type TestKafka } from '../../../test/support/kafka.js';
import { until } from '../../../test/support/process.js';
import { silent } from '../../../test/support/silent.js';
import { type LogBatch, LogChanged, LogUnavailable, type PartitionConsumer } from '../port.js';
import { createKafkaLog } from './kafka-log.js';
import { setUpTopic } from './set-up.js';

const run = kafkaMissing() ? describe.skip : describe;
const KEY = 'conference';
const record = (value: string) => ({ headers: new Map(), value: Buffer.from(value) });

run('the guard on a real Kafka', () => {
  let kafka: TestKafka;
  let admin: Admin;
  let opened: Awaited<ReturnType<typeof openKafkaLog>>;

  beforeAll(async () => {
    kafka = await startTestKafka();
    const client = new kafkajs.Kafka({ brokers: [kafka.brokers], logLevel: kafkajs.logLevel.NOTHING });
    admin = client.admin();
    await admin.connect();
  }, 60_000);
  afterAll(async () => {
    await admin.disconnect();
    await kafka.remove();
  });
  beforeEach(async () => {
    opened = await openKafkaLog(kafka.brokers, { giveUpMs: 3_000 });
  });
  afterEach(() => opened.close());

  /** Folds in memory: a checkpoint per partition that only it moves. */
  function folder(checkpoints = new Map<number, bigint>()) {
    const texts: string[] = [];
    const held = new Set<number>();
    const consumer: PartitionConsumer = {
      async claim(partition) {
        held.add(partition);
        return checkpoints.get(partition) ?? 0n;
      },
      async consume(batch: LogBatch) {
        texts.push(...batch.records.map(({ value }) => value?.toString() ?? ''));
        checkpoints.set(batch.partition, batch.nextOffset);
        return batch.nextOffset;
      },
      holds: (partition) => held.has(partition),
      lost: (partition) => held.delete(partition),
    };
    return { consumer, texts, held, checkpoints };
  }

  const truncate = async (partition: number, offset: string) => {
    const { name: topic } = opened.spec;
    await admin.fetchTopicOffsets(topic); // Else kafkajs does not know the topic's leaders.
    await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset }] });
  };

  const recreate = async () => {
    const { name: topic } = opened.spec;
    await admin.deleteTopics({ topics: [topic] });
    await until('the topic is gone', async () => !(await admin.listTopics()).includes(topic));
    const configEntries = [{ name: 'retention.ms', value: '-1' }];
    await admin.createTopics({ waitForLeaders: false, topics: [{ topic, numPartitions: 4, configEntries }] });
    await until('it is there again', async () => (await admin.listTopics()).includes(topic));
  };

  it('I4: a log that begins after the checkpoint stops its partition with an alarm, and nothing is skipped', async () => {
    const at = await opened.log.append(KEY, [record('a'), record('b'), record('c')]);
    await truncate(at.partition, '2');
    const { consumer, texts, held } = folder(new Map([[at.partition, 1n]]));
    const subscription = opened.log.subscribe(consumer, 'fold');
    await until('the alarm', () => subscription.status().alarms.length > 0);
    await until('the other partitions are read', () => held.size === 3);
    expect(subscription.status().alarms.join()).toMatch(/begins at 2, after the checkpoint 1: events are missing/);
    expect(texts).toEqual([]);
  });

  it('the way out: an operator accepts what is left, and a build from the beginning passes over what is gone', async () => {
    const at = await opened.log.append(KEY, [record('a'), record('b'), record('c')]);
    const before = await opened.log.identity();
    await truncate(at.partition, '2');
    await setUpTopic({ ...opened.options, spec: opened.spec, accept: true });
    const again = await createKafkaLog(opened.options);
    expect(await again.identity()).not.toBe(before);
    expect(await again.watermarks(at.partition)).toEqual({ low: 0n, high: 3n });
    const { consumer, texts } = folder();
    const subscription = again.subscribe(consumer, 'build');
    await until('what is left is read', () => texts.length === 1);
    await again.append(KEY, [record('d')]);
    await until('it goes on', () => texts.length === 2);
    expect(texts).toEqual(['c', 'd']);
    expect(subscription.status().alarms).toEqual([]);
    await truncate(at.partition, '4');
    await until('the next loss is an alarm again', () => again.watermarks(at.partition).then(({ low }) => low === 4n));
    await again.close();
  });

  it('I4: a log that was truncated below what is being read stops there, though kafkajs would jump', async () => {
    const { consumer, texts, checkpoints } = folder();
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const at = await opened.log.append(KEY, [record('a')]);
    const subscription = opened.log.subscribe(
      {
        ...consumer,
        async consume(batch) {
          await gate;
          const next = await consumer.consume(batch);
          return next;
        },
      },
      'fold',
    );
    await until('a batch is in hand', async () => subscription.status().silentMs < 1_000);
    await opened.log.append(KEY, [record('b'), record('c')]);
    await truncate(at.partition, '3');
    release();
    await until('the alarm', () => subscription.status().alarms.length > 0);
    expect(subscription.status().alarms.join()).toMatch(/events are missing/);
    expect(checkpoints.get(at.partition) ?? 0n).toBeLessThan(3n);
    expect(texts).not.toContain('c');
  });

  it('what was let go of while a batch was in hand is claimed again once the log is whole for it', async () => {
    const { consumer, texts, held } = folder();
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    let inHand = 0;
    const consume = async (batch: LogBatch) => {
      inHand += 1;
      await gate;
      return consumer.consume(batch);
    };
    let losses = 0;
    const lost = (partition: number) => {
      losses += 1;
      consumer.lost(partition);
    };
    const at = await opened.log.append(KEY, [record('a'), record('b'), record('c')]);
    const subscription = opened.log.subscribe({ ...consumer, consume, lost }, 'fold');
    await until('a batch is in hand', () => inHand > 0);
    await truncate(at.partition, '2'); // Below the end of what is in hand.
    await until('the partition is let go of', () => held.size === 3);
    expect(subscription.status().alarms.join()).toMatch(/events are missing/);
    release();
    await until('the batch is folded', () => texts.length === 3);
    await opened.log.append(KEY, [record('d')]);
    await until('it goes on', () => texts.length === 4);
    expect(texts).toEqual(['a', 'b', 'c', 'd']);
    expect(subscription.status().alarms).toEqual([]);
    expect(losses).toBe(1); // The answer of the batch has not made it look claimed once more.
  });

  it('refuses a topic that was recreated: at the start, while it runs, and for appending', async () => {
    const { consumer, texts } = folder();
    await opened.log.append(KEY, [record('a')]);
    const subscription = opened.log.subscribe(consumer, 'fold');
    await until('a was folded', () => texts.length === 1);
    const said: string[] = [];
    const logger = { ...silent, error: (_: object, line?: string) => said.push(line ?? '') };
    const gateways = await createKafkaLog({ ...opened.options, logger });
    await recreate();
    await expect(createKafkaLog(opened.options)).rejects.toThrow(LogChanged);
    await expect(createKafkaLog(opened.options)).rejects.toThrow(/recreated.*Nothing was changed/);
    for (const again of ['b', 'c']) await expect(gateways.append(KEY, [record(again)])).rejects.toThrow(LogUnavailable);
    expect(said).toEqual([expect.stringMatching(/recreated.*Nothing was changed/)]);
    await gateways.close();
    await until('the alarm', () => /recreated/.test(subscription.status().alarms.join()), 30_000);
    expect(texts).toEqual(['a']);
  }, 60_000);

  it('the way out: an operator accepts the topic that is there, and the log has another identity', async () => {
    const before = await opened.log.identity();
    await recreate();
    await setUpTopic({ ...opened.options, spec: opened.spec, accept: true });
    const again = await createKafkaLog(opened.options);
    expect(await again.identity()).not.toBe(before);
    await again.close();
  });

  it('refuses more partitions than were pinned, and a pinned topic that is gone is not made anew', async () => {
    const { name: topic } = opened.spec;
    await admin.createPartitions({ topicPartitions: [{ topic, count: 6 }] });
    await expect(createKafkaLog(opened.options)).rejects.toThrow(/has 6 partitions and was pinned with 4/);
    await admin.deleteTopics({ topics: [topic] });
    await until('the topic is gone', async () => !(await admin.listTopics()).includes(topic));
    await expect(createKafkaLog({ ...opened.options, make: opened.spec })).rejects.toThrow(/is gone/);
    await expect(setUpTopic({ ...opened.options, spec: opened.spec, accept: false })).rejects.toThrow(/is gone/);
  });

  it('the way out: more partitions are not accepted; what lies in the pinned ones is read, and nothing is appended', async () => {
    const { name: topic } = opened.spec;
    await admin.createPartitions({ topicPartitions: [{ topic, count: 6 }] });
    const accepted = setUpTopic({ ...opened.options, spec: opened.spec, accept: true });
    await expect(accepted).rejects.toThrow(/has 6 partitions and was pinned with 4/);
    const toRead = await createKafkaLog({ ...opened.options, toRead: true });
    expect(toRead.partitions).toBe(4);
    const appended = toRead.append(KEY, [{ headers: new Map(), value: null }]);
    await expect(appended).rejects.toThrow('the log has changed');
    await toRead.close();
  });

  it('says what is wrong with a topic that somebody else made', async () => {
    const name = `other-${randomUUID()}`;
    await admin.createTopics({ waitForLeaders: false, topics: [{ topic: name, numPartitions: 4 }] });
    await until('it is there', async () => (await admin.listTopics()).includes(name));
    const { made, complaints } = await setUpTopic({ ...opened.options, spec: { ...opened.spec, name }, accept: false });
    expect(made).toBe(false);
    expect(complaints.join('\n')).toMatch(/retention\.ms is 604800000 and must be -1/);
  });

  it('reads what other producers compress, each way that Kafka knows', async () => {
    const { consumer, texts } = folder();
    opened.log.subscribe(consumer, 'fold');
    for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
      const input = Array.from({ length: 50 }, (_, line) => `${codec} ${line} ${'x'.repeat(100)}`).join('\n');
      const args = ['-P', '-b', kafka.brokers, '-t', opened.spec.name, '-p', '0', '-k', KEY, '-z', codec];
      expect(spawnSync('kcat', args, { input }).status).toBe(0);
    }
    await until('all are read', () => texts.length === 250);
    expect(new Set(texts.map((text) => text.split(' ')[0])).size).toBe(5);
  });

  it('passes over the hidden records of transactions, and hides what was aborted', async () => {
    const client = new kafkajs.Kafka({ brokers: [kafka.brokers], logLevel: kafkajs.logLevel.NOTHING });
    const producer = client.producer({
      transactionalId: randomUUID(),
      maxInFlightRequests: 1,
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    });
    await producer.connect();
    const { consumer, texts, checkpoints } = folder();
    const subscription = opened.log.subscribe(consumer, 'fold');
    const send = async (values: readonly string[], commit: boolean) => {
      const transaction = await producer.transaction();
      const messages = values.map((value) => ({ partition: 0, key: KEY, value }));
      await transaction.send({ topic: opened.spec.name, messages });
      await (commit ? transaction.commit() : transaction.abort());
    };
    await send(['a', 'b'], true);
    await send(['no'], false);
    await send(['also no'], false);
    await send(['c'], true);
    await producer.disconnect();
    await until('all committed ones are read', () => texts.length === 3);
    expect(texts).toEqual(['a', 'b', 'c']);
    await until('hidden records are counted', () => (checkpoints.get(0) ?? 0n) >= 7n);
    expect(subscription.status().alarms).toEqual([]);
    const batch = await opened.log.read(0, 0n, 10);
    expect(batch.records.map(({ value }) => value?.toString())).toEqual(['a', 'b', 'c']);
  });
});
