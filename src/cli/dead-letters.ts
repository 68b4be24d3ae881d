/** `hallway dead-letters`: what came in and could not be taken, looked at, tried again or dropped. */

import { isUtf8 } from 'node:buffer';
import { produceAgain } from '#libs/event-log';
import { defineLimit } from '#libs/limits';
import type { Logger } from '#libs/postgres';
import type { Config } from '../config.js';
import {
  type DeadLetter,
  dropDeadLetter,
  listDeadLetters,
  type Place,
  readDeadLetter,
  type WholeDeadLetter,
} from '../intake/dead-letters.js';
import { createLogger } from '../logger.js';
import { kafkaConnection } from '../open-log.js';
import { openDatabase } from '../store.js';
import { CliError } from './cli-error.js';

const MAX_LISTED = defineLimit({
  name: 'cli.dead-letters.listed',
  value: 1_000,
  unit: 'entries',
  beyond: 'the rest is counted only',
});
const MAX_NAME = defineLimit({
  name: 'cli.dead-letters.name',
  value: 100,
  unit: 'characters',
  beyond: 'the name is cut',
});
const NONE = '209 there is no such dead letter';

/** @throws CliError */
export async function deadLetters(config: Config, act: string, place: string | undefined): Promise<void> {
  const logger = createLogger({ ...config, LOG_LEVEL: 'error' });
  const database = await openDatabase(config, logger);
  const db = database.pool;
  try {
    if (act === 'list') {
      for (const letter of await listDeadLetters(db, MAX_LISTED)) console.log(lineOf(letter));
      return;
    }
    if (!['show', 'retry', 'drop'].includes(act)) throw new CliError('200 list, show, retry or drop');
    const where = parsePlace(place);
    const found = await readDeadLetter(db, where);
    if (!found) throw new CliError(NONE);
    const { record, reason, whole } = found;
    if (act === 'show') {
      const { key, headers, value } = record;
      const texts = Object.fromEntries(Object.entries(headers).map(([name, bytes]) => [name, readable(bytes)]));
      const shown = { reason, key: readable(key), headers: texts, value: value?.toString('utf8') ?? null, whole };
      console.log(JSON.stringify(shown, null, 2));
      return;
    }
    if (act === 'retry') await retry(config, found, logger);
    if (!(await dropDeadLetter(db, found))) throw new CliError(NONE);
    console.log(`${place} ${act === 'retry' ? 'sent again' : 'dropped'}`);
  } finally {
    await database.close();
  }
}

/** As text, if that is what it is. */
const readable = (bytes: Buffer | null): unknown =>
  bytes === null ? null : isUtf8(bytes) ? bytes.toString('utf8') : { base64: bytes.toString('base64') };

/** When, where, why; and which event it was, where the record says so. */
function lineOf({ topic, partition, offset, reason, foundAt, event }: DeadLetter): string {
  const named = Object.entries(event).map(([name, text]) => `${name}=${plain(text)}`);
  const line = `${foundAt} ${topic}/${partition}/${offset} ${reason}`;
  return named.length > 0 ? `${line} (${named.join(' ')})` : line;
}

/** Anybody may have written it: a terminal would obey some characters, and a line that never ends hides the others. */
const plain = (text: string): string =>
  text.slice(0, MAX_NAME).replace(/[^!-~]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** @throws CliError: what is no record of the intake is sent nowhere; to write to the log is for commands alone (I10) */
async function retry(config: Config, { record, whole }: WholeDeadLetter, logger: Logger): Promise<void> {
  if (record.topic !== config.KAFKA_INTAKE_TOPIC)
    throw new CliError(
      `201 only what came through ${config.KAFKA_INTAKE_TOPIC} can be sent again; this was in the log`,
    );
  if (!whole) throw new CliError('201 this is not a whole record; its producer must send it again');
  const connection = kafkaConnection(config);
  if (!connection) throw new CliError('there is no Kafka: set KAFKA_BROKERS');
  await produceAgain(connection, record, logger);
}

function parsePlace(text = ''): Place {
  const match = /^([\w.-]{1,249})\/(\d{1,9})\/(\d{1,18})$/.exec(text);
  if (!match) throw new CliError('200 name one as `list` prints it: TOPIC/PARTITION/OFFSET');
  const [, topic = '', partition, offset = ''] = match;
  return { topic, partition: Number(partition), offset: BigInt(offset) };
}
