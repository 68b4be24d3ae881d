/** `hallway topics`: makes the topics of the road, or says what is wrong with those that are there. */
import { makeTopic, readPin, setUpTopic } from '#libs/event-log';
import type { Logger } from '#libs/postgres';
import type { Config } from '../config.js';
import { intakeTopic } from '../intake/open-intake.js';
import { createLogger } from '../logger.js';
import { eventsTopic, kafkaConnection, openLog } from '../open-log.js';
import { type Database, openDatabase } from '../store.js';
import { CliError } from './cli-error.js';

/** @throws CliError if a topic is not as it must be */
export async function setUpTopics(config: Config, { accept }: { readonly accept?: boolean }): Promise<void> {
  const connection = kafkaConnection(config);
  if (!connection) throw new CliError('there is no Kafka: set KAFKA_BROKERS');
  // What is retried by itself would only hide the answer.
  const logger = createLogger({ ...config, LOG_LEVEL: 'error' });
  const database = await openDatabase(config, logger);
  try {
    const spec = eventsTopic(config);
    const known = await readPin(database.pool, spec.name);
    const { made, found, complaints } = await setUpTopic({
      ...connection,
      db: database.pool,
      spec,
      logger,
      accept: accept ?? false,
    }).catch(inWords(spec.name));
    console.log(`${spec.name}: ${made ? 'made' : 'is there'}, ${found.partitions} partitions, id ${found.topicId}`);
    if (known && accept)
      console.log(
        `${spec.name}: accepted as the log; read models are built anew from what it holds once every projector and gateway has been stopped and started`,
      );
    if (!known && !made && (await holdsEvents(config, database, logger)))
      console.log(
        `${spec.name}: holds events from before this database knew it; without their keys, personal texts read [erased]: docs/operations.md, "Keys are missing"`,
      );
    const intake = intakeTopic(config);
    const isNew = await makeTopic(connection, intake, logger).catch(inWords(intake.name));
    console.log(`${intake.name}: ${isNew ? 'made' : 'is there'}`);
    if (complaints.length > 0)
      throw new CliError(`201 ${spec.name} is not as it must be\n  ${complaints.join('\n  ')}`);
  } finally {
    await database.close();
  }
}

/** What the cluster itself says no to: more replicas than brokers, no right to make a topic. */
const inWords = (topic: string) => (error: unknown) => {
  const { errors = [error] } = error as { readonly errors?: readonly unknown[] };
  const isKafkas = errors.every((one) => one instanceof Error && one.name.startsWith('KafkaJS'));
  if (!isKafkas) throw error;
  throw new CliError(`201 ${topic}: Kafka refuses: ${errors.map((one) => (one as Error).message).join('; ')}`);
};

async function holdsEvents(config: Config, { url, pool, closers }: Database, logger: Logger): Promise<boolean> {
  const log = await openLog({ config, url, pool, closers, logger, toRead: true });
  for (let partition = 0; partition < log.partitions; partition++) {
    const { low, high } = await log.watermarks(partition);
    if (high > low) return true;
  }
  return false;
}
