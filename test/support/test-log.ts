/** The switch between the two logs: with TEST_LOG=kafka the same suites run on a real Kafka, each service on a topic of its own. */
import { createHash } from 'node:crypto';
import { createKafkaLog, createPostgresLog, type EventLog, setUpTopic } from '#libs/event-log';
import { createPool } from '#libs/postgres';
import { silent } from './silent.js';
import type { TestDatabase } from './test-database.js';

type Environment = Readonly<Record<string, string>>;

const PARTITIONS = 8;

/** What a service with this environment needs besides, to stand on the log that is tested. Makes its topic. */
export async function withTestLog(environment: Environment): Promise<Environment> {
  const brokers = process.env.TEST_KAFKA_BROKERS;
  if (process.env.TEST_LOG !== 'kafka' || !brokers || environment.KAFKA_BROKERS !== undefined) return environment;
  const url = environment.DATABASE_URL;
  const name = topicOf(url ?? environment.DATA_DIR ?? '');
  if (url) await makeTopic(brokers, url, name);
  return { ...environment, KAFKA_BROKERS: brokers, KAFKA_EVENTS_TOPIC: name };
}

/** The log that services on this database stand on, for looking into it. */
export async function openTestLog({ url, pool }: TestDatabase): Promise<EventLog> {
  const brokers = process.env.TEST_KAFKA_BROKERS;
  if (process.env.TEST_LOG !== 'kafka' || !brokers)
    return createPostgresLog({ pool, partitions: PARTITIONS, logger: silent });
  return createKafkaLog({ brokers: [brokers], clientId: 'test', db: pool, topic: topicOf(url), logger: silent });
}

const topicOf = (home: string): string => `events-${createHash('sha256').update(home).digest('hex').slice(0, 16)}`;

async function makeTopic(brokers: string, url: string, name: string): Promise<void> {
  const pool = createPool({ url, applicationName: 'hallway test topic' });
  try {
    const spec = { name, partitions: PARTITIONS, replicas: 1, minInSyncReplicas: 1 };
    await setUpTopic({ brokers: [brokers], clientId: 'test', db: pool, spec, logger: silent, accept: false });
  } finally {
    await pool.end();
  }
}
