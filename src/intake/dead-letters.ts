/** What came in and could not be taken: with its reason, for at most 30 days; to be looked at, tried again, or dropped. */

import type { IncomingRecord } from '#libs/event-log';
import { defineLimit } from '#libs/limits';
import type { Logger, Queryable } from '#libs/postgres';

/** What other people wrote may stand in it in the clear. */
const KEPT_DAYS = defineLimit({ name: 'intake.dead-letters.kept', value: 30, unit: 'days', beyond: 'deleted' });
const SWEEP_EVERY_MS = 3_600_000;
/** No record of the intake that could ever be taken is as large; packed, a bomb of 64 MB fits into what the topic allows. */
const MAX_KEPT = defineLimit({
  name: 'intake.dead-letter.size',
  value: 1024 * 1024,
  unit: 'bytes',
  beyond: 'the value is cut',
});
/** What is read of a value to list its letter: a thousand of the largest would be a gigabyte. */
const MAX_LISTED_BYTES = defineLimit({
  name: 'intake.dead-letters.listed-value',
  value: 64 * 1024,
  unit: 'bytes',
  beyond: 'the value is not shown',
});
/** By which its producer knows an event. */
const NAMES = ['type', 'source', 'id'] as const;

export interface Place {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
}

export interface DeadLetter extends Omit<Place, 'offset'> {
  readonly offset: number;
  /** A refusal's number and sentence. */
  readonly reason: string;
  readonly key: string | null;
  readonly foundAt: string;
  /** As far as the record has them. */
  readonly event: { readonly [name in (typeof NAMES)[number]]?: string };
}

export interface WholeDeadLetter {
  readonly record: IncomingRecord;
  readonly reason: string;
  /** The record as it came; false: a packed batch, or the beginning of a record. */
  readonly whole: boolean;
}

interface Row {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly log_identity: string;
  readonly reason: string;
  readonly key: Buffer | null;
  readonly header_names: readonly Buffer[];
  readonly header_values: readonly Buffer[];
  readonly value: Buffer | null;
  readonly whole: boolean;
  readonly found_at: Date;
}

const COLUMNS =
  'topic, partition, "offset", log_identity, reason, key, header_names, header_values, value, whole, found_at';

/** Once per record, however often it is read. */
export async function keepDeadLetter(db: Queryable, record: IncomingRecord, reason: string): Promise<void> {
  const { topic, partition, offset, logIdentity = '', key, headers, value, unreadable } = record;
  await db.query(
    `insert into dead_letter (topic, partition, "offset", log_identity, reason, key, header_names, header_values, value, whole, time)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, clock_timestamp()) on conflict do nothing`,
    [
      topic,
      partition,
      offset.toString(),
      logIdentity,
      reason,
      key,
      Object.keys(headers).map((one) => Buffer.from(one)),
      Object.values(headers),
      value?.subarray(0, MAX_KEPT) ?? null,
      unreadable === undefined && (value?.length ?? 0) <= MAX_KEPT,
    ],
  );
}

/** Of the log, too. At once, and then each hour. @returns what ends it */
export function forgetOldDeadLetters(db: Queryable, logger: Logger): () => void {
  const forget = () =>
    db
      .query('delete from dead_letter where found_at < clock_timestamp() - make_interval(days => $1)', [KEPT_DAYS])
      .catch((err: unknown) => logger.warn({ err }, 'old dead letters stay a while'));
  void forget();
  const sweeping = setInterval(() => void forget(), SWEEP_EVERY_MS);
  return () => clearInterval(sweeping);
}

/** Newest first. */
export async function listDeadLetters(db: Queryable, limit: number): Promise<readonly DeadLetter[]> {
  const { rows } = await db.query<Row>(
    `select topic, partition, "offset", reason, key, header_names, header_values, found_at,
       case when octet_length(value) <= $2 then value end as value
     from dead_letter order by found_at desc limit $1`,
    [limit, MAX_LISTED_BYTES],
  );
  return rows.map((row) => ({
    topic: row.topic,
    partition: row.partition,
    offset: Number(row.offset),
    reason: row.reason,
    key: row.key?.toString() ?? null,
    foundAt: row.found_at.toISOString(),
    event: eventOf(headersOf(row), row.value),
  }));
}

/** Binary by its headers, else structured, as it was read when it came. */
function eventOf(headers: IncomingRecord['headers'], value: Buffer | null): DeadLetter['event'] {
  const said = 'ce_id' in headers ? (name: string) => headers[`ce_${name}`]?.toString() : fieldsOf(value);
  return Object.fromEntries(
    NAMES.flatMap((name) => {
      const text = said(name);
      return typeof text === 'string' && text !== '' ? [[name, text]] : [];
    }),
  );
}

function fieldsOf(value: Buffer | null): (name: string) => unknown {
  try {
    const fields = new Map(Object.entries(Object(JSON.parse(String(value)))));
    return (name) => fields.get(name);
  } catch {
    return () => undefined; // No JSON: that is why it lies here.
  }
}

const headersOf = ({ header_names, header_values }: Row): IncomingRecord['headers'] =>
  Object.fromEntries(header_names.map((name, at) => [String(name), header_values[at] ?? Buffer.alloc(0)]));

/** The newest of this place. undefined: there is none. */
export async function readDeadLetter(
  db: Queryable,
  { topic, partition, offset }: Place,
): Promise<WholeDeadLetter | undefined> {
  const { rows } = await db.query<Row>(
    `select ${COLUMNS} from dead_letter where topic = $1 and partition = $2 and "offset" = $3 order by found_at desc limit 1`,
    [topic, partition, offset.toString()],
  );
  const row = rows[0];
  if (!row) return undefined;
  const { reason, whole, log_identity: logIdentity, key, value } = row;
  return { record: { topic, partition, offset, logIdentity, key, headers: headersOf(row), value }, reason, whole };
}

/** @returns whether it was there */
export async function dropDeadLetter(db: Queryable, { record }: WholeDeadLetter): Promise<boolean> {
  const { topic, partition, offset, logIdentity = '' } = record;
  const { rowCount } = await db.query(
    'delete from dead_letter where topic = $1 and partition = $2 and "offset" = $3 and log_identity = $4',
    [topic, partition, offset.toString(), logIdentity],
  );
  return (rowCount ?? 0) > 0;
}
