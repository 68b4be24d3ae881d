import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import kafkajs from 'kafkajs';
import { createKafkaLog, createPostgresLog, type EventLog } from '#libs/event-log';
import { exportConference, importConference } from '../src/ops/log-transfer.js';
import { kafkaMissing, startTestKafka, type TestKafka } from './support/kafka.js';
import { openDemo, until } from './support/process.js';
import { type Running, startRunning } from './support/running.js';
import { silent } from './support/silent.js';
import { createTestDatabase, type TestDatabase } from './support/test-database.js';

const run = kafkaMissing() ? describe.skip : describe;

run('a conference that moves to Kafka and back', () => {
  let kafka: TestKafka;
  let database: TestDatabase;
  beforeAll(async () => {
    [kafka, database] = await Promise.all([startTestKafka(), createTestDatabase()]);
  }, 60_000);
  afterAll(async () => {
    await kafka.remove();
    await database.drop();
  });

  const running = new Set<Running>();
  afterEach(() => Promise.all([...running].map((one) => one.stop())));

  async function start(environment: Readonly<Record<string, string>>) {
    const started = await startRunning({ database, environment });
    running.add(started);
    return started;
  }
  async function stop(one: Running) {
    running.delete(one);
    await one.stop();
  }

  /** What people see of it, and under which epoch. */
  async function look(at: Running) {
    const client = at.client(await at.token('organizer', 'olga'), [
      'schedule',
      'session/s1/questions',
      'session/s1/desk',
    ]);
    await until('the client is live', () => client.status().state === 'live');
    const documents = ['schedule', 'session/s1/questions', 'session/s1/desk'].flatMap((channel) =>
      [...client.documents(channel)].map(([key, { body }]) => `${channel} ${key} ${JSON.stringify(body)}`),
    );
    const { rows } = await database.pool.query<{ log_identity: string }>(
      `select log_identity from generation where state = 'live'`,
    );
    return { documents: documents.toSorted(), identity: rows[0]?.log_identity };
  }

  function topicOf(topic: string) {
    const make = { name: topic, partitions: 8, replicas: 1, minInSyncReplicas: 1 };
    const options = { brokers: [kafka.brokers], clientId: 'test', db: database.pool, topic, logger: silent, make };
    return {
      onKafka: { KAFKA_BROKERS: kafka.brokers, KAFKA_EVENTS_TOPIC: topic },
      open: (over: object = {}) => createKafkaLog({ ...options, ...over }),
    };
  }

  async function move(from: EventLog, to: EventLog) {
    const imported = await importConference(to, exportConference(from, 'demo'));
    await Promise.all([from.close(), to.close()]);
    return imported;
  }

  it('I3, I14: shows the same, sealed and erased texts included, and goes on; the epoch is another one', async () => {
    const { onKafka, open: onTopic } = topicOf(`moved-${randomUUID()}`);
    const embedded = () => createPostgresLog({ pool: database.pool, partitions: 8, logger: silent });

    // Whatever the switch of the suites says: this one begins on the embedded log.
    const before = await start({ KAFKA_BROKERS: '' });
    await openDemo(before.organizer);
    for (const name of ['ada', 'bob']) {
      const attendee = await before.as('attendee', name);
      await attendee.send('ask-question', { session: 's1', text: `A question of ${name}?` });
    }
    await before.organizer.send('erase-attendee', { subject: 'bob' });
    const first = await look(before);
    expect(first.documents.join()).toMatch(/A question of ada\?/);
    expect(first.documents.join()).not.toMatch(/question of bob/);
    await stop(before);

    const moved = await move(await embedded(), await onTopic());
    const between = await start(onKafka);
    const second = await look(between);
    expect(second.documents).toEqual(first.documents);
    expect(second.identity).not.toBe(first.identity);
    await between.organizer.send('start-session', { session: 's1' });
    await stop(between);

    expect(await move(await onTopic(), await embedded())).toMatchObject({ known: moved.appended, appended: 1 });
    const after = await start({ KAFKA_BROKERS: '' });
    const third = await look(after);
    expect(third.identity).toBe(first.identity);
    expect(third.documents.join()).toMatch(/"state":"running"/);
    await stop(after);
  }, 60_000);

  it('the way out of partitions that were added: to a new topic, and nothing is lost', async () => {
    const topic = `grown-${randomUUID()}`;
    const old = topicOf(topic);
    const before = await start(old.onKafka);
    await openDemo(before.organizer);
    const shown = await look(before);
    await stop(before);

    const admin = new kafkajs.Kafka({ brokers: [kafka.brokers], logLevel: kafkajs.logLevel.NOTHING }).admin();
    await admin.connect();
    await admin.createPartitions({ topicPartitions: [{ topic, count: 12 }] });
    await admin.disconnect();
    await expect(old.open()).rejects.toThrow(/has 12 partitions and was pinned with 8/);

    const fresh = topicOf(`${topic}-2`);
    await move(await old.open({ toRead: true }), await fresh.open());
    const after = await start(fresh.onKafka);
    expect((await look(after)).documents).toEqual(shown.documents);
    await stop(after);
  }, 60_000);
});
