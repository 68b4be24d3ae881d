import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { kafkaMissing, openKafkaLog, startTestKafka, type TestKafka } from '../../../test/support/kafka.js';
import { until } from '../../../test/support/process.js';
import { type EventLog, type LogBatch, LogUnavailable, type PartitionConsumer } from '../port.js';
import { createKafkaLog } from './kafka-log.js';

const run = kafkaMissing() ? describe.skip : describe;
const record = (value: string) => ({ headers: new Map(), value: Buffer.from(value) });
const KEYS = Array.from({ length: 16 }, (_, number) => `conference-${number}`);

run('a group on a real Kafka', () => {
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

  /** One checkpoint per partition, moved by compare-and-swap of (epoch, offset), as Postgres does it. */
  function createCheckpoints() {
    const rows = new Map<number, { epoch: number; next: bigint }>();
    const applied: string[] = [];
    const row = (partition: number) => {
      const known = rows.get(partition) ?? { epoch: 0, next: 0n };
      rows.set(partition, known);
      return known;
    };
    const member = (slowness?: () => Promise<void>) => {
      const held = new Map<number, number>();
      const consumer: PartitionConsumer = {
        async claim(partition) {
          const checkpoint = row(partition);
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
        holds: (partition) => held.get(partition) === row(partition).epoch,
        lost: (partition) => held.delete(partition),
      };
      const holds = () => [...held.keys()].filter(consumer.holds).length;
      return { consumer, held, holds };
    };
    return { member, applied };
  }

  const another = async () => {
    const log = await createKafkaLog(opened.options);
    others.push(log);
    return log;
  };

  it('shares the partitions, and whoever stays takes them all', async () => {
    const { member } = createCheckpoints();
    const [one, two] = [member(), member()];
    opened.log.subscribe(one.consumer, 'fold');
    await until('the first has all', () => one.held.size === 4);
    const second = (await another()).subscribe(two.consumer, 'fold');
    await until('both have some', () => one.held.size === 2 && two.held.size === 2);
    await second.close();
    expect(two.held.size).toBe(0);
    await until('the first has all again', () => one.held.size === 4);
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
    for (let round = 0; round < 6; round++) {
      const before = applied.length;
      const guests = logs.map((log) => log.subscribe(member().consumer, 'fold'));
      await until('it goes on with more members', () => applied.length > before + 50);
      await guests[round % 2]?.close();
      const after = applied.length;
      await until('it goes on with fewer members', () => applied.length > after + 50);
      await guests[(round + 1) % 2]?.close();
    }
    over = true;
    await load;
    await until('all are applied', () => applied.length >= sent.length);
    await stay.close();
    expect(new Set(applied).size).toBe(applied.length);
    expect(applied.toSorted()).toEqual(sent.toSorted());
  }, 90_000);

  it('T6: a claim that ends after a newer join is dropped, and whom it fenced claims again with nothing to read', async () => {
    const { member, applied } = createCheckpoints();
    const [late, other] = [member(), member()];
    let open = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    let waiting = 0;
    const claim = async (partition: number) => {
      waiting += 1;
      await gate; // The epoch is raised after the newer owner's.
      return late.consumer.claim(partition);
    };
    opened.log.subscribe({ ...late.consumer, claim }, 'fold');
    await until('all claims are under way', () => waiting === 4);
    (await another()).subscribe(other.consumer, 'fold');
    await until('the other has its half', () => other.holds() === 2);
    open();
    await until('the other was fenced', () => other.holds() === 0);
    await until('each has its half again', () => late.holds() === 2 && other.holds() === 2);
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
      await until('all that was acknowledged is applied', () => new Set(applied).size >= acknowledged.length, 30_000);
      const seen = new Set(applied);
      expect(acknowledged.filter((one) => !seen.has(one))).toEqual([]);
      // What was sent again because its outcome was unknown may be in the log twice; the fold drops it by its command id (I13).
      expect(applied.length - seen.size).toBeLessThanOrEqual(refused + 1);
      expect(subscription.status().alarms).toEqual([]);
      // An outage longer than an append is kept on trying must be answered.
      expect(refused).toBeGreaterThanOrEqual(seconds > 8 ? 1 : 0);
    },
    90_000,
  );
});
