import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import kafkajs, { type Admin } from 'kafkajs';
import { kafkaMissing, openKafkaLog, startTestKafka, type TestKafka } from '../../../test/support/kafka.js';
import { until } from '../../../test/support/process.js';
import { LogChanged, type PartitionConsumer } from '../port.js';
import { createKafkaLog } from './kafka-log.js';
import { setUpTopic } from './set-up.js';

const run = kafkaMissing() ? describe.skip : describe;
const KEY = 'conference';
const record = (value: string) => ({ headers: new Map(), value: Buffer.from(value) });
/** The cleaner runs all the time instead of every 15 s. The second listener, which these settings bring, is not used. */
const EAGER_CLEANER = `log.cleaner.backoff.ms=200
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SECURE:PLAINTEXT
`;

run('the settings of the topic, on a real Kafka', () => {
  let kafka: TestKafka;
  let admin: Admin;
  let opened: Awaited<ReturnType<typeof openKafkaLog>>;

  beforeAll(async () => {
    kafka = await startTestKafka(EAGER_CLEANER);
    admin = new kafkajs.Kafka({ brokers: [kafka.brokers], logLevel: kafkajs.logLevel.NOTHING }).admin();
    await admin.connect();
  }, 60_000);
  afterAll(async () => {
    await admin?.disconnect();
    await kafka?.remove();
  });
  beforeEach(async () => {
    opened = await openKafkaLog(kafka.brokers, { settingsLookMs: 200 });
  });
  afterEach(() => opened.close());

  const RIGHT = { 'retention.ms': '-1', 'retention.bytes': '-1', 'cleanup.policy': 'delete' };
  const set = (settings: Readonly<Record<string, string>>) =>
    admin.alterConfigs({
      validateOnly: false,
      resources: [
        {
          type: kafkajs.ConfigResourceTypes.TOPIC,
          name: opened.spec.name,
          configEntries: Object.entries({ ...RIGHT, ...settings }).map(([name, value]) => ({ name, value })),
        },
      ],
    });
  const folding = (texts: string[] = []): PartitionConsumer => ({
    claim: async () => 0n,
    async consume({ records, nextOffset }) {
      texts.push(...records.map(({ value }) => String(value)));
      return nextOffset;
    },
    holds: () => true,
    lost: () => undefined,
  });

  it.each([
    ['cleanup.policy', 'compact'],
    ['retention.ms', '3600000'],
    ['retention.bytes', '1000000'],
    ['message.timestamp.type', 'LogAppendTime'],
  ])(
    'case V37: with %s=%s a start is refused and names it; to export what is there is not',
    async (setting, value) => {
      await set({ [setting]: value });
      await until('the broker has it', () =>
        createKafkaLog(opened.options).then(
          async (log) => {
            await log.close();
            return false;
          },
          (error: unknown) => {
            expect(error).toBeInstanceOf(LogChanged);
            expect(String(error)).toContain(`${setting} is ${value} and must be`);
            return true;
          },
        ),
      );
      const toRead = await createKafkaLog({ ...opened.options, toRead: true });
      await toRead.close();
    },
    60_000,
  );

  it('case M3, V37: settings that are changed under a running log are an alarm to those who read it and to those who only append, until they are right again', async () => {
    const subscription = opened.log.subscribe(folding(), 'fold');
    expect(opened.log.alarms()).toEqual([]);
    await set({ 'cleanup.policy': 'compact' });
    await until('the alarm', () => opened.log.alarms().length > 0);
    expect(opened.log.alarms()).toEqual([
      `topic ${opened.spec.name}: cleanup.policy is compact and must be delete: a compacted log has lost events`,
    ]);
    expect(subscription.status().alarms).toEqual(opened.log.alarms());
    await set({});
    await until('it is over', () => opened.log.alarms().length === 0);
    expect(subscription.status().alarms).toEqual([]);
  }, 60_000);

  it('case V37: a hole that compaction has left is an alarm with its offsets, and what follows is read', async () => {
    const { partition } = await opened.log.append(KEY, [record('a'), record('b'), record('c')]);
    await set({ 'cleanup.policy': 'compact', 'segment.ms': '1', 'min.cleanable.dirty.ratio': '0.01' });
    const ends = async () => (await opened.log.read(partition, 0n, 100)).records.map(({ value }) => String(value));
    // A segment that is written to is not compacted: each append begins another one.
    await until(
      'the first ones are gone',
      async () => {
        await opened.log.append(KEY, [record('later')]);
        return !(await ends()).includes('a');
      },
      40_000,
    );
    await set({});
    await until('the settings are right again', () => opened.log.alarms().length === 0);
    const texts: string[] = [];
    const subscription = opened.log.subscribe(folding(texts), 'build');
    await until('what is left is read', () => texts.length > 0);
    await until('the alarm', () => subscription.status().alarms.length > 0);
    expect(subscription.status().alarms.join()).toMatch(
      new RegExp(`^partition ${partition}: offsets 0–\\d+ are missing: records were compacted or deleted`),
    );
  }, 90_000);

  it('what must be changed is told by the set-up, too', async () => {
    await set({ 'cleanup.policy': 'compact' });
    const complaints = async () =>
      (await setUpTopic({ ...opened.options, spec: opened.spec, accept: false })).complaints;
    await until('it complains', async () =>
      (await complaints()).some((one) => one.startsWith('cleanup.policy is compact')),
    );
  }, 60_000);
});
