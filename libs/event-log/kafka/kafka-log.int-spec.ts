import { afterAll, beforeAll, describe } from '@jest/globals';
import { kafkaMissing, openKafkaLog, startTestKafka, type TestKafka } from '../../../test/support/kafka.js';
import { describeEventLogContract } from '../contract.js';

const run = kafkaMissing() ? describe.skip : describe;

run('Kafka', () => {
  let kafka: TestKafka;
  beforeAll(async () => {
    kafka = await startTestKafka();
  }, 60_000);
  afterAll(() => kafka.remove());

  describeEventLogContract('Kafka', () => openKafkaLog(kafka.brokers));
});
