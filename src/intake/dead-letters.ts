/** What came in and could not be taken: whole, with its reason, for at most 30 days; to be looked at, tried again, or dropped. */
import type { IncomingRecord } from '#libs/event-log';
import type { Queryable } from '#libs/postgres';

/** What other people wrote may stand in it in the clear. */
const KEPT_DAYS = 30;

export interface DeadLetter {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** A refusal's number and sentence. */
  readonly reason: string;
  readonly key: string | null;
  readonly foundAt: string;
}

interface Row {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly reason: string;
  readonly key: string | null;
  readonly header_names: readonly string[];
  readonly header_values: readonly Buffer[];
  readonly value: Buffer | null;
  readonly found_at: Date;
}

const COLUMNS = 'topic, partition, "offset", reason, key, header_names, header_values, value, found_at';

/** Once per record, however often it is read. */
export async function keepDeadLetter(db: Queryable, record: IncomingRecord, reason: string): Promise<void> {
  const { topic, partition, offset, key, headers, value } = record;
  await db.query(
    `insert into dead_letter (topic, partition, "offset", reason, key, header_names, header_values, value, time)
     values ($1, $2, $3, $4, $5, $6, $7, $8, clock_timestamp()) on conflict do nothing`,
    [
      topic,
      partition,
      offset.toString(),
      reason,
      key,
      Object.keys(headers),
      Object.values(headers).map((one) => Buffer.from(one)),
      value,
    ],
  );
}

export async function forgetOldDeadLetters(db: Queryable, topic: string): Promise<void> {
  await db.query(
    'delete from dead_letter where topic = $1 and found_at < clock_timestamp() - make_interval(days => $2)',
    [topic, KEPT_DAYS],
  );
}

/** Newest first. */
export async function listDeadLetters(db: Queryable, limit: number): Promise<readonly DeadLetter[]> {
  const { rows } = await db.query<Row>(`select ${COLUMNS} from dead_letter order by found_at desc limit $1`, [limit]);
  return rows.map(({ topic, partition, offset, reason, key, found_at }) => ({
    topic,
    partition,
    offset: Number(offset),
    reason,
    key,
    foundAt: found_at.toISOString(),
  }));
}

export interface Place {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
}

/** The record as it came; undefined: there is none. */
export async function readDeadLetter(
  db: Queryable,
  { topic, partition, offset }: Place,
): Promise<{ readonly record: IncomingRecord; readonly reason: string } | undefined> {
  const { rows } = await db.query<Row>(
    `select ${COLUMNS} from dead_letter where topic = $1 and partition = $2 and "offset" = $3`,
    [topic, partition, offset.toString()],
  );
  const row = rows[0];
  if (!row) return undefined;
  const headers = Object.fromEntries(row.header_names.map((name, at) => [name, String(row.header_values[at] ?? '')]));
  return { record: { topic, partition, offset, key: row.key, headers, value: row.value }, reason: row.reason };
}

/** @returns whether it was there */
export async function dropDeadLetter(db: Queryable, { topic, partition, offset }: Place): Promise<boolean> {
  const { rowCount } = await db.query('delete from dead_letter where topic = $1 and partition = $2 and "offset" = $3', [
    topic,
    partition,
    offset.toString(),
  ]);
  return (rowCount ?? 0) > 0;
}
