/** The intake of this process: gateways read the topic in one group; without Kafka there is only the way over HTTP. */

import { type GroupReader, type KafkaConnection, makeTopic, type PlainTopic, readGroup } from '#libs/event-log';
import { defineLimit } from '#libs/limits';
import type { Logger, Queryable } from '#libs/postgres';
import type { Config } from '../config.js';
import { keepDeadLetter } from './dead-letters.js';
import type { Intake } from './intake.js';
import { type KafkaIntakePorts, takeRecord } from './kafka-intake.js';

export interface OpenIntakeOptions {
  readonly config: Config;
  readonly connection: KafkaConnection;
  readonly intake: Intake;
  readonly db: Queryable;
  readonly logger: Logger;
}

const DAY_MS = 24 * 3_600_000;
const KEPT_DAYS = defineLimit({
  name: 'intake.topic.retention',
  value: 7,
  unit: 'days',
  beyond: 'deleted by the broker',
});
const GROUP = 'hallway-intake';

export const intakeTopic = (config: Config): PlainTopic => ({
  name: config.KAFKA_INTAKE_TOPIC,
  partitions: config.HALLWAY_PARTITIONS,
  replicas: config.KAFKA_REPLICAS,
  retentionMs: KEPT_DAYS * DAY_MS,
  maxMessageBytes: 128 * 1024,
});

export function openIntake({ config, connection, intake, db, logger }: OpenIntakeOptions): GroupReader {
  const topic = intakeTopic(config);
  const keep: KafkaIntakePorts['keep'] = (record, reason) => keepDeadLetter(db, record, reason);
  return readGroup({
    ...connection,
    clientId: `${connection.clientId}-intake`,
    topic: topic.name,
    group: `${GROUP}.${topic.name}`,
    // As with the log: one process for everything is somebody trying it out. Not before the start: while Kafka is away, it waits for it.
    ...(config.ROLE === 'all' ? { prepare: () => makeTopic(connection, topic, logger) } : {}),
    handle: (record, signal) => takeRecord({ intake, keep, logger }, record, signal),
    logger,
  });
}
