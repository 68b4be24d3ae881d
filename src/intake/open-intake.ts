/** The intake of this process: gateways read the topic in one group; without Kafka there is only the way over HTTP. */
import { type GroupReader, type KafkaConnection, makeTopic, type PlainTopic, readGroup } from '#libs/event-log';
import type { Logger, Queryable } from '#libs/postgres';
import type { Config } from '../config.js';
import { forgetOldDeadLetters, keepDeadLetter } from './dead-letters.js';
import type { Intake } from './intake.js';
import { takeRecord } from './kafka-intake.js';

export interface OpenIntakeOptions {
  readonly config: Config;
  readonly connection: KafkaConnection;
  readonly intake: Intake;
  readonly db: Queryable;
  readonly logger: Logger;
}

const DAY_MS = 24 * 3_600_000;
const HOUR_MS = 3_600_000;
const KEPT_DAYS = 7;
const GROUP = 'hallway-intake';

export const intakeTopic = (config: Config): PlainTopic => ({
  name: config.KAFKA_INTAKE_TOPIC,
  partitions: config.HALLWAY_PARTITIONS,
  replicas: config.KAFKA_REPLICAS,
  retentionMs: KEPT_DAYS * DAY_MS,
  maxMessageBytes: 128 * 1024,
});

export async function openIntake({ config, connection, intake, db, logger }: OpenIntakeOptions): Promise<GroupReader> {
  const topic = intakeTopic(config);
  // As with the log: one process for everything is somebody trying it out.
  if (config.ROLE === 'all') await makeTopic(connection, topic, logger);
  const keep = (record: Parameters<typeof keepDeadLetter>[1], reason: string) => keepDeadLetter(db, record, reason);
  const reader = readGroup({
    ...connection,
    clientId: `${connection.clientId}-intake`,
    topic: topic.name,
    group: `${GROUP}.${topic.name}`,
    handle: (record, signal) => takeRecord({ intake, keep, logger }, record, signal),
    logger,
  });
  const forget = () =>
    forgetOldDeadLetters(db, topic.name).catch((err: unknown) => logger.warn({ err }, 'old dead letters stay a while'));
  void forget();
  const sweeping = setInterval(() => void forget(), HOUR_MS);
  return {
    async close() {
      clearInterval(sweeping);
      await reader.close();
    },
  };
}
