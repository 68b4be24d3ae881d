import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe } from '@jest/globals';
import { kafkaMissing, startTestKafka, type TestKafka } from '../../../test/support/kafka.js';
import { silent } from '../../../test/support/silent.js';
import { createTestDatabase } from '../../../test/support/test-database.js';
import { describeEventLogContract } from '../contract.js';
import { createKafkaLog } from './kafka-log.js';
import { setUpTopic } from './set-up.js';

const run = kafkaMissing() ? describe.skip : describe;

run('Kafka', () => {
  let kafka: TestKafka;
  beforeAll(async () => {
    kafka = await startTestKafka();
  }, 60_000);
  afterAll(() => kafka.remove());

  describeEventLogContract('Kafka', async () => {
    const database = await createTestDatabase();
    const spec = { name: `events-${randomUUID()}`, partitions: 4, replicas: 1, minInSyncReplicas: 1 };
    const connection = { brokers: [kafka.brokers], clientId: 'test', db: database.pool, logger: silent };
    await setUpTopic({ ...connection, spec, accept: false });
    const log = await createKafkaLog({
      ...connection,
      topic: spec.name,
      timing: { sessionMs: 3_000, heartbeatMs: 200 },
    });
    return {
      log,
      async close() {
        await log.close();
        await database.drop();
      },
    };
  });
});
