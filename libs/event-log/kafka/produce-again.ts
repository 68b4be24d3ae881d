import type { Logger } from '#libs/postgres';
import { createClient, type KafkaConnection } from './client.js';
import type { IncomingRecord } from './incoming-record.js';

/** Writes a record to the end of its topic as it came. @throws kafkajs errors: it is not known to be there */
export async function produceAgain(connection: KafkaConnection, record: IncomingRecord, logger: Logger): Promise<void> {
  const producer = createClient(connection, logger).producer({ allowAutoTopicCreation: false });
  await producer.connect();
  try {
    const { topic, key, headers, value } = record;
    await producer.send({ topic, acks: -1, messages: [{ key, headers: { ...headers }, value }] });
  } finally {
    await producer.disconnect();
  }
}
