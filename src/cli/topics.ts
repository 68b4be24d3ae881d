/** `hallway topics`: makes the topics of the road, or says what is wrong with those that are there. */
import { makeTopic, setUpTopic } from '#libs/event-log';
import type { Config } from '../config.js';
import { intakeTopic } from '../intake/open-intake.js';
import { createLogger } from '../logger.js';
import { eventsTopic, kafkaConnection } from '../open-log.js';
import { openDatabase } from '../store.js';
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
    const { made, found, complaints } = await setUpTopic({
      ...connection,
      db: database.pool,
      spec,
      logger,
      accept: accept ?? false,
    });
    console.log(`${spec.name}: ${made ? 'made' : 'is there'}, ${found.partitions} partitions, id ${found.topicId}`);
    const intake = intakeTopic(config);
    console.log(`${intake.name}: ${(await makeTopic(connection, intake, logger)) ? 'made' : 'is there'}`);
    if (complaints.length > 0)
      throw new CliError(`201 ${spec.name} is not as it must be\n  ${complaints.join('\n  ')}`);
  } finally {
    await database.close();
  }
}
