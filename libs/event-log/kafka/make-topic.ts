/** Makes a topic that is not the log, if it is not there; one that is there stays as it is. */
import type { Logger } from '#libs/postgres';
import { createClient, type KafkaConnection } from './client.js';

export interface PlainTopic {
  readonly name: string;
  readonly partitions: number;
  readonly replicas: number;
  readonly retentionMs: number;
  readonly maxMessageBytes: number;
}

/** @returns whether it was made now */
export async function makeTopic(connection: KafkaConnection, topic: PlainTopic, logger: Logger): Promise<boolean> {
  const admin = createClient(connection, logger).admin();
  await admin.connect();
  try {
    return await admin.createTopics({
      waitForLeaders: true,
      topics: [
        {
          topic: topic.name,
          numPartitions: topic.partitions,
          replicationFactor: topic.replicas,
          configEntries: [
            { name: 'retention.ms', value: String(topic.retentionMs) },
            { name: 'max.message.bytes', value: String(topic.maxMessageBytes) },
          ],
        },
      ],
    });
  } finally {
    await admin.disconnect();
  }
}
