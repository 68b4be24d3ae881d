/** The embedded log: a table with gapless offsets per partition. The row lock on `log_head` is held to the commit, so offsets become visible in order. */
import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { defineLimit } from '#libs/limits';
import { inTransaction, type Logger } from '#libs/postgres';
import { partitionOf } from '../partition.js';
import { type EventLog, type LogBatch, type LogRecord, type LogSubscription, type Watermarks } from '../port.js';
import { type Appended, type PartitionSource, readPartitions } from '../read-partitions.js';
import { type CommandToAppend, createAppends, type Written, writeCommands } from './appends.js';
import { unpackHeaders } from './packed-headers.js';

export interface PostgresLogOptions {
  readonly pool: pg.Pool;
  /** Fixed at the first start. */
  readonly partitions: number;
  readonly logger: Logger;
  /** Registers for what other processes append (NOTIFY `hallway_log`); undefined: any partition. Without it a poll finds it. */
  readonly onNotify?: (wake: (partition?: number) => void) => () => void;
  /** Called after each commit, to tell other processes. */
  readonly notify?: (partition: number) => void;
}

export const LOG_CHANNEL = 'hallway_log';
const POLL_MS = 100;
/** Records of one reading; several batches of a projector: while one is written the next is folded. */
const FETCH = defineLimit({
  name: 'log.fetch.records',
  value: 2_000,
  unit: 'records',
  beyond: 'the next fetch takes the rest',
});
/** Bytes of one reading, or one record (S21): more than any one command has, so that a command that begins a reading ends in it. */
export const MAX_FETCH_BYTES = defineLimit({
  name: 'log.read.bytes',
  value: 8 * 1024 * 1024,
  unit: 'bytes',
  beyond: 'the rest is read next',
});

/** @throws Error if the log was made with another number of partitions */
export async function createPostgresLog({
  pool,
  partitions,
  logger,
  onNotify,
  notify,
}: PostgresLogOptions): Promise<EventLog> {
  await makeOnce(pool, partitions);
  const subscriptions = new Set<LogSubscription>();
  const readers = new Set<Appended>();
  const appends = createAppends(async (partition, commands) => {
    const written = await writeCommands(pool, partition, commands);
    const records = recordsOf(commands, written);
    for (const reader of readers) reader.hand(partition, records);
    notify?.(partition);
    return written;
  });
  const log: EventLog & PartitionSource = {
    partitions,
    identity: () => identityOf(pool),
    async append(key, records, lane) {
      const partition = partitionOf(key, partitions);
      return { partition, offset: await appends.add(partition, { key, records, ...(lane ? { lane } : {}) }) };
    },
    read: (partition, from, limit) => read(pool, partition, from, limit),
    watermarks: (partition) => watermarks(pool, partition),
    heads: () => heads(pool),
    subscribe(consumer) {
      const subscription = readPartitions(log, consumer, {
        fetchSize: FETCH,
        pollMs: POLL_MS,
        onAppended(reader) {
          readers.add(reader);
          const unregister = onNotify?.((partition) => reader.wake(partition));
          return () => {
            readers.delete(reader);
            unregister?.();
          };
        },
        onError: (err, partition) => logger.warn({ err, partition }, 'reading the log failed; trying again'),
      });
      subscriptions.add(subscription);
      return subscription;
    },
    alarms: () => [],
    forgetReaders: async () => undefined,
    async close() {
      await Promise.all([...subscriptions].map((subscription) => subscription.close()));
    },
  };
  return log;
}

async function makeOnce(pool: pg.Pool, partitions: number): Promise<void> {
  const made = await inTransaction(pool, async (client) => {
    // First starts of several processes take turns, so that one count and one incarnation win.
    await client.query('lock table log_head in exclusive mode');
    await client.query(
      'insert into log_head (partition, incarnation) select p, $2::uuid from generate_series(0, $1::int - 1) p where not exists (select from log_head)',
      [partitions, randomUUID()],
    );
    const { rows } = await client.query<{ count: string }>('select count(*) from log_head');
    return Number(rows[0]?.count);
  });
  if (made !== partitions) {
    throw new Error(
      `201 this log was made with ${made} partitions and cannot have ${partitions}: a conference would change its partition. Set HALLWAY_PARTITIONS=${made}`,
    );
  }
}

/** The records as a reading would give them. */
function recordsOf(commands: readonly CommandToAppend[], { base, time }: Written): readonly LogRecord[] {
  let offset = base;
  return commands.flatMap(({ key, records }) =>
    records.map(({ headers, value, timestamp }) => ({
      offset: offset++,
      key,
      headers,
      value,
      timestamp: timestamp ?? time,
    })),
  );
}

interface Row {
  readonly offset: string;
  readonly key: string;
  /** Packed; of records from before there was that, null. */
  readonly headers: Buffer | null;
  readonly header_names: readonly string[];
  readonly header_values: readonly Buffer[];
  readonly value: Buffer | null;
  readonly time: Date;
}

async function read(pool: pg.Pool, partition: number, from: bigint, limit: number): Promise<LogBatch> {
  // The head is read by the same statement, so it is never older than the records.
  const { rows } = await pool.query<Row & { high: string }>(
    `select e.*, h.next_offset as high from log_head h
     left join lateral (
       select "offset", key, headers, header_names, header_values, value, time from (
         select *, sum(coalesce(octet_length(value), 0) + coalesce(octet_length(headers), pg_column_size(header_values))) over (order by "offset") as bytes from (
           select * from event_log where partition = $1 and "offset" >= $2 order by "offset" limit $3) fetched
       ) sized where "offset" = $2 or bytes <= $4) e on true
     where h.partition = $1 order by e."offset"`,
    [partition, from.toString(), limit, MAX_FETCH_BYTES],
  );
  const head = rows[0];
  if (!head) throw new RangeError(`there is no partition ${partition}`);
  const records = rows.filter((row) => row.offset !== null).map(toRecord);
  const last = records.at(-1);
  return {
    partition,
    fetchedOffset: from,
    records,
    nextOffset: last ? last.offset + 1n : from,
    highWatermark: BigInt(head.high),
  };
}

const toRecord = (row: Row): LogRecord => ({
  offset: BigInt(row.offset),
  key: row.key,
  headers: row.headers
    ? unpackHeaders(row.headers)
    : new Map(row.header_names.map((name, index) => [name, row.header_values[index] ?? Buffer.alloc(0)])),
  value: row.value,
  timestamp: row.time.getTime(),
});

async function heads(pool: pg.Pool): Promise<ReadonlyMap<number, bigint>> {
  const { rows } = await pool.query<{ partition: number; next_offset: string }>(
    'select partition, next_offset from log_head',
  );
  return new Map(rows.map(({ partition, next_offset: next }) => [partition, BigInt(next)]));
}

async function watermarks(pool: pg.Pool, partition: number): Promise<Watermarks> {
  const { rows } = await pool.query<{ low: string; high: string }>(
    `select next_offset as high, coalesce((select min("offset") from event_log where partition = $1), next_offset) as low from log_head where partition = $1`,
    [partition],
  );
  const row = rows[0];
  if (!row) throw new RangeError(`there is no partition ${partition}`);
  return { low: BigInt(row.low), high: BigInt(row.high) };
}

/** Changes with another log, not with a restore of this one: what was folded from it is restored with it, and only the epoch ends. */
async function identityOf(pool: pg.Pool): Promise<string> {
  const { rows } = await pool.query<{ identity: string }>(
    `select 'pg/' || incarnation as identity from log_head where partition = 0`,
  );
  return rows[0]?.identity ?? '';
}

/** After an import of a log: offsets may now name other events, so every epoch ends and read models are built from it. */
export async function renewIncarnation(pool: pg.Pool): Promise<void> {
  await pool.query('update log_head set incarnation = $1', [randomUUID()]);
}
