import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import kafkajs from 'kafkajs';
import { kafkaMissing, openKafkaLog, startTestKafka, type TestKafka } from '../../../test/support/kafka.js';
import { until } from '../../../test/support/process.js';
import { type EventLog, type LogBatch, LogUnavailable, type PartitionConsumer } from '../port.js';
import { createKafkaLog } from './kafka-log.js';

const run = kafkaMissing() ? describe.skip : describe;
const record = (value: string) => ({ headers: new Map(), value: Buffer.from(value) });
const KEYS = Array.from({ length: 16 }, (_, number) => `conference-${number}`);

run('readers of one log on a real Kafka', () => {
  let kafka: TestKafka;
  let opened: Awaited<ReturnType<typeof openKafkaLog>>;
  const others: EventLog[] = [];

  beforeAll(async () => {
    kafka = await startTestKafka();
  }, 60_000);
  afterAll(() => kafka.remove());
  beforeEach(async () => {
    opened = await openKafkaLog(kafka.brokers);
  });
  afterEach(async () => {
    await Promise.all(others.splice(0).map((log) => log.close()));
    await opened.close();
  });

  /** One checkpoint per partition, moved by compare-and-swap of (epoch, offset) and shared evenly, as Postgres does it. */
  function createCheckpoints() {
    const rows = new Map<number, { epoch: number; next: bigint; owner: object | null }>();
    const members = new Set<object>();
    const applied: string[] = [];
    const row = (partition: number) => {
      const known = rows.get(partition) ?? { epoch: 0, next: 0n, owner: null };
      rows.set(partition, known);
      return known;
    };
    const member = (slowness?: () => Promise<void>) => {
      const me = {};
      const held = new Map<number, number>();
      members.add(me);
      const share = () => Math.floor(4 / members.size) + ([...members].indexOf(me) < 4 % members.size ? 1 : 0);
      const consumer: PartitionConsumer = {
        async claim(partition) {
          const checkpoint = row(partition);
          if ((checkpoint.owner ?? me) !== me || held.size >= share()) return null;
          checkpoint.owner = me;
          held.set(partition, ++checkpoint.epoch);
          return checkpoint.next;
        },
        async consume({ partition, fetchedOffset, records, nextOffset }: LogBatch) {
          await slowness?.();
          const checkpoint = row(partition);
          if (held.get(partition) !== checkpoint.epoch || fetchedOffset !== checkpoint.next) return null;
          checkpoint.next = nextOffset;
          applied.push(...records.map(({ value }) => value?.toString() ?? ''));
          return nextOffset;
        },
        holds: (partition) => [...held.keys()].slice(0, share()).includes(partition),
        lost(partition) {
          held.delete(partition);
          const checkpoint = row(partition);
          if (checkpoint.owner === me) checkpoint.owner = null;
        },
      };
      const end = () => members.delete(me);
      return { consumer, held, end };
    };
    return { member, applied };
  }

  const groupPrefix = async () => {
    const { rows } = await opened.options.db.query<{ prefix: string }>(
      'select group_prefix as prefix from pinned_topic',
    );
    return rows[0]?.prefix ?? '';
  };
  const another = async () => {
    const log = await createKafkaLog(opened.options);
    others.push(log);
    return log;
  };

  it('offers each partition to all until one takes it, and again what that one gives up', async () => {
    const { member } = createCheckpoints();
    const one = member();
    opened.log.subscribe(one.consumer, 'fold');
    await until('the first has all', () => one.held.size === 4);
    const two = member();
    const second = (await another()).subscribe(two.consumer, 'fold');
    await until('both have some', () => one.held.size === 2 && two.held.size === 2);
    await second.close();
    expect(two.held.size).toBe(0);
    two.end();
    await until('the first has all again', () => one.held.size === 4);
  });

  it('case L: says under its group’s name how far was read, for Kafka’s own tools, until its generation is retired', async () => {
    const { member, applied } = createCheckpoints();
    const reading = opened.log.subscribe(member().consumer, 'fold');
    const { partition } = await opened.log.append('conference', ['a', 'b', 'c'].map(record));
    await until('all are applied', () => applied.length === 3);
    const groupId = `${await groupPrefix()}-fold`;
    const admin = new kafkajs.Kafka({ brokers: [kafka.brokers], logLevel: kafkajs.logLevel.NOTHING }).admin();
    await admin.connect();
    const committed = async () => {
      const [topic] = await admin.fetchOffsets({ groupId, topics: [opened.spec.name] });
      return topic?.partitions.find((one) => one.partition === partition)?.offset;
    };
    await until('it is said', async () => (await committed()) === '3');
    const groups = async () => (await admin.listGroups()).groups.map(({ groupId: id }) => id);
    expect(await groups()).toContain(groupId);
    await reading.close();
    // One that is not there is no failure.
    await opened.log.forgetReaders(['fold', 'never']);
    expect(await groups()).not.toContain(groupId);
    await admin.disconnect();
  });

  it('is read no more once it is closed: a connection that nobody ends would keep the process', async () => {
    const log = await another();
    await log.close();
    await expect(log.watermarks(0)).rejects.toThrow('Kafka is no longer read');
  });

  it('I1: with members coming and going each event is applied once and none is lost', async () => {
    const { member, applied } = createCheckpoints();
    const stay = opened.log.subscribe(member().consumer, 'fold');
    const logs = [await another(), await another()];
    const sent: string[] = [];
    let over = false;
    const load = (async () => {
      for (let number = 0; !over; number++) {
        const values = Array.from({ length: 5 }, (_, index) => `${number}.${index}`);
        sent.push(...values);
        await opened.log.append(KEYS[number % KEYS.length] ?? '', values.map(record));
      }
    })();
    const visit = (log: EventLog) => {
      const { consumer, held, end } = member();
      const subscription = log.subscribe(consumer, 'fold');
      const leave = async () => {
        await subscription.close();
        end();
      };
      return { held, leave };
    };
    for (let round = 0; round < 6; round++) {
      const guests = logs.map(visit);
      await until('all take part', () => guests.every(({ held }) => held.size > 0));
      const before = applied.length;
      await until('it goes on with more members', () => applied.length > before + 50);
      await guests[round % 2]?.leave();
      const after = applied.length;
      await until('it goes on with fewer members', () => applied.length > after + 50);
      await guests[(round + 1) % 2]?.leave();
    }
    over = true;
    await load;
    await until('all are applied', () => applied.length >= sent.length);
    await stay.close();
    expect(new Set(applied).size).toBe(applied.length);
    expect(applied.toSorted()).toEqual(sent.toSorted());
  }, 90_000);

  it('T6: a claim that ends after a newer join is dropped, and made anew', async () => {
    const { member, applied } = createCheckpoints();
    const { consumer, held } = member();
    let open = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const claims: number[] = [];
    let losses = 0;
    opened.log.subscribe(
      {
        ...consumer,
        async claim(partition) {
          claims.push(partition);
          await gate;
          return consumer.claim(partition);
        },
        lost(partition) {
          losses += 1;
          consumer.lost(partition);
        },
      },
      'fold',
    );
    await until('all claims are under way', () => claims.length === 4);
    // Somebody else in its group: it must join anew, and has only a half.
    const client = new kafkajs.Kafka({ brokers: [kafka.brokers], logLevel: kafkajs.logLevel.NOTHING });
    const admin = client.admin();
    await admin.connect();
    const prefix = await groupPrefix();
    const { groups } = await admin.listGroups();
    const groupId = groups.find((group) => group.groupId.startsWith(`${prefix}-fold-`))?.groupId ?? '';
    const intruder = client.consumer({ groupId, sessionTimeout: 3_000, heartbeatInterval: 200 });
    await intruder.connect();
    await intruder.subscribe({ topic: opened.spec.name });
    let half = 0;
    intruder.on(intruder.events.GROUP_JOIN, ({ payload }) => {
      half = payload.memberAssignment[opened.spec.name]?.length ?? 0;
    });
    await intruder.run({ eachMessage: async () => undefined });
    await until('the intruder has a half', () => half === 2);
    open();
    await until('the late claims were dropped, and those of its half made anew', () => losses >= 4 && held.size === 2);
    await intruder.disconnect();
    await admin.disconnect();
    await until('it has all', () => held.size === 4);
    const sent = KEYS.map((key) => `${key} after`);
    await Promise.all(sent.map((value, number) => opened.log.append(KEYS[number] ?? '', [record(value)])));
    await until('all are applied', () => applied.length >= sent.length);
    expect(applied.toSorted()).toEqual(sent.toSorted());
  });

  it('a batch that takes longer than the session costs neither the membership nor the claim', async () => {
    const { member, applied } = createCheckpoints();
    let first = true;
    const { consumer, held } = member(async () => {
      if (!first) return;
      first = false;
      await new Promise((resolve) => setTimeout(resolve, 5_000)); // The session is 3 s; only time can pass it.
    });
    let losses = 0;
    const lost = (partition: number) => {
      losses += 1;
      consumer.lost(partition);
    };
    opened.log.subscribe({ ...consumer, lost }, 'fold');
    await until('all are claimed', () => held.size === 4);
    await opened.log.append('conference', [record('slow')]);
    await until('it is applied', () => applied.length === 1);
    expect(losses).toBe(0);
  });

  it.each([0, 20])(
    'a broker that is killed and comes back after %i s: what was acknowledged is there once, and reading goes on by itself',
    async (seconds) => {
      const { member, applied } = createCheckpoints();
      const subscription = opened.log.subscribe(member().consumer, 'fold');
      await opened.log.append('conference', [record('before')]);
      await until('it reads', () => applied.length === 1);
      const acknowledged: string[] = ['before'];
      let refused = 0;
      let over = false;
      const load = (async () => {
        for (let number = 0; !over; number++) {
          await opened.log.append(KEYS[number % KEYS.length] ?? '', [record(String(number))]).then(
            () => acknowledged.push(String(number)),
            (error: unknown) => {
              expect(error).toBeInstanceOf(LogUnavailable);
              refused += 1;
            },
          );
        }
      })();
      await until('there is load', () => acknowledged.length > 50);
      await kafka.kill();
      await new Promise((resolve) => setTimeout(resolve, seconds * 1_000)); // Long enough for kafkajs to give up.
      await kafka.start();
      const back = acknowledged.length;
      await until('appending goes on', () => acknowledged.length > back + 50, 30_000);
      over = true;
      await load;
      const missing = () => {
        const seen = new Set(applied);
        return acknowledged.filter((one) => !seen.has(one));
      };
      await until('all that was acknowledged is applied', () => missing().length === 0, 30_000);
      // What was sent again because its outcome was unknown may be in the log twice; the fold drops it by its command id (I13).
      expect(applied.length - new Set(applied).size).toBeLessThanOrEqual(refused + 1);
      expect(subscription.status().alarms).toEqual([]);
      // An outage longer than an append is kept on trying must be answered.
      expect(refused).toBeGreaterThanOrEqual(seconds > 8 ? 1 : 0);
    },
    90_000,
  );
});
