/** `hallway dead-letters`: what came in and could not be taken, looked at, tried again or dropped. */
import { produceAgain } from '#libs/event-log';
import type { Config } from '../config.js';
import { dropDeadLetter, listDeadLetters, type Place, readDeadLetter } from '../intake/dead-letters.js';
import { createLogger } from '../logger.js';
import { kafkaConnection } from '../open-log.js';
import { openDatabase } from '../store.js';
import { CliError } from './cli-error.js';

const MAX_LISTED = 1_000;
const NONE = '209 there is no such dead letter';

/** @throws CliError */
export async function deadLetters(config: Config, act: string, place: string | undefined): Promise<void> {
  const logger = createLogger({ ...config, LOG_LEVEL: 'error' });
  const database = await openDatabase(config, logger);
  const db = database.pool;
  try {
    if (act === 'list') {
      for (const { topic, partition, offset, reason, foundAt } of await listDeadLetters(db, MAX_LISTED))
        console.log(`${foundAt} ${topic}/${partition}/${offset} ${reason}`);
      return;
    }
    if (!['show', 'retry', 'drop'].includes(act)) throw new CliError('200 list, show, retry or drop');
    const where = parsePlace(place);
    const found = await readDeadLetter(db, where);
    if (!found) throw new CliError(NONE);
    const { record, reason } = found;
    if (act === 'show') {
      const { key, headers, value } = record;
      console.log(JSON.stringify({ reason, key, headers, value: value?.toString('utf8') ?? null }, null, 2));
      return;
    }
    if (act === 'retry') {
      const connection = kafkaConnection(config);
      if (!connection) throw new CliError('there is no Kafka: set KAFKA_BROKERS');
      await produceAgain(connection, record, logger);
    }
    if (!(await dropDeadLetter(db, where))) throw new CliError(NONE);
    console.log(act === 'retry' ? 'sent again' : 'dropped');
  } finally {
    await database.close();
  }
}

function parsePlace(text = ''): Place {
  const match = /^([\w.-]{1,249})\/(\d{1,9})\/(\d{1,18})$/.exec(text);
  if (!match) throw new CliError('200 name one as `list` prints it: TOPIC/PARTITION/OFFSET');
  const [, topic = '', partition, offset = ''] = match;
  return { topic, partition: Number(partition), offset: BigInt(offset) };
}
