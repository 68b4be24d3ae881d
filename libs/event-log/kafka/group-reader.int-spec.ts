import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Admin, Producer } from 'kafkajs';
import Broker from 'kafkajs/src/broker/index.js';
import protocol from 'kafkajs/src/protocol/error.js';
import { kafkaMissing, startTestKafka, type TestKafka } from '../../../test/support/kafka.js';
import { until } from '../../../test/support/process.js';
import { openTestTopic, type TestTopic } from '../../../test/support/reading.js';
import { silent } from '../../../test/support/silent.js';
import { createClient } from './client.js';

/** Kafka's numbers. */
const NOT_COORDINATOR = 16;
const LOADING = 14;
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

  /** What a broker answers whose group coordinator has moved and loads, each once: one cannot be made to load for long on purpose. */
  function loadCoordinator(group: string) {
    const { heartbeat, joinGroup } = Broker.prototype;
    const answered: string[] = [];
    const once = (name: string, code: number, real: typeof heartbeat) =>
      async function refuse(this: object, request: { readonly groupId?: string }) {
        if (request.groupId !== group || answered.includes(name)) return real.call(this, request);
        // It joins because a heartbeat was refused.
        if (name === 'joinGroup' && !answered.includes('heartbeat')) return real.call(this, request);
        answered.push(name);
        throw protocol.createErrorFromCode(code);
      };
    Broker.prototype.heartbeat = once('heartbeat', NOT_COORDINATOR, heartbeat);
    Broker.prototype.joinGroup = once('joinGroup', LOADING, joinGroup);
    return {
      answered,
      restore: () => Object.assign(Broker.prototype, { heartbeat, joinGroup }),
    };
  }

  it('case C1, S26: a coordinator that loads when the group must join again: its heartbeats are answered, and yet the consumer is built again and reads on', async () => {
    const { reader, textsOf } = topic.read({ joinMs: 3_000 });
    await send(0, 'before');
    await until('it reads', () => textsOf(0).length === 1, 20_000);
    const loading = loadCoordinator(`group-of-${topic.name}`);
    try {
      await until('its join was refused', () => loading.answered.length === 2, 20_000);
      // Under the old membership nothing is given up: heartbeats and fetches are answered by the real broker all the time.
      await until('silence is seen', () => reader.status().silentMs > 2_000, 20_000);
      await send(0, 'after');
      await until('another consumer has joined', () => reader.status().silentMs < 1_000, 30_000);
      await until('it reads on', () => textsOf(0).includes('1 after'), 20_000);
      expect(loading.answered).toEqual(['heartbeat', 'joinGroup']);
    } finally {
      loading.restore();
    }
  }, 90_000);
});
