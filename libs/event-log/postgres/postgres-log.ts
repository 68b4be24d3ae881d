/** The embedded log: a table with gapless offsets per partition. The row lock on `log_head` is held to the commit, so offsets become visible in order. */
import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { inTransaction, type Logger } from '#libs/postgres';
import { partitionOf } from '../partition.js';
import { type EventLog, type LogBatch, type LogRecord, type LogSubscription, type Watermarks } from '../port.js';
import { readPartitions } from '../read-partitions.js';
import { createAppends, writeCommands } from './appends.js';

export interface PostgresLogOptions {
  readonly pool: pg.Pool;
  /** Fixed at the first start. */
  readonly partitions: number;
  readonly logger: Logger;
  /** Registers an alarm for NOTIFY `hallway_log`; without it the poll alone finds new records. */
  readonly onNotify?: (wake: () => void) => () => void;
  /** Called after each append: the other half of that alarm. */
  readonly notify?: () => void;
}

export const LOG_CHANNEL = 'hallway_log';
const POLL_MS = 100;
/** Several batches of a projector: while one is written the next is folded. */
const FETCH = 2_000;

/** @throws Error if the log was made with another number of partitions */
export async function createPostgresLog({
  pool,
  partitions,
  logger,
  onNotify,
  notify,
}: PostgresLogOptions): Promise<EventLog> {
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
  const subscriptions = new Set<LogSubscription>();
  const appends = createAppends((partition, commands) => writeCommands(pool, partition, commands));
  const log: EventLog = {
    partitions,
    identity: () => identityOf(pool),
    async append(key, records) {
      const partition = partitionOf(key, partitions);
      const offset = await appends.add(partition, { key, records });
      notify?.();
      return { partition, offset };
    },
    read: (partition, from, limit) => read(pool, partition, from, limit),
    watermarks: (partition) => watermarks(pool, partition),
    subscribe(consumer) {
      const subscription = readPartitions(log, consumer, {
        fetchSize: FETCH,
        pollMs: POLL_MS,
        onWake: onNotify ?? (() => () => undefined),
        onError: (err, partition) => logger.warn({ err, partition }, 'reading the log failed; trying again'),
      });
      subscriptions.add(subscription);
      return subscription;
    },
    async close() {
      await Promise.all([...subscriptions].map((subscription) => subscription.close()));
    },
  };
  return log;
}

interface Row {
  readonly offset: string;
  readonly key: string;
  readonly header_names: readonly string[];
  readonly header_values: readonly Buffer[];
  readonly value: Buffer | null;
  readonly time: Date;
}

async function read(pool: pg.Pool, partition: number, from: bigint, limit: number): Promise<LogBatch> {
  // The head is read by the same statement, so it is never older than the records.
  const { rows } = await pool.query<Row & { high: string }>(
    `select e.*, h.next_offset as high from log_head h
     left join lateral (select "offset", key, header_names, header_values, value, time from event_log
       where partition = $1 and "offset" >= $2 order by "offset" limit $3) e on true
     where h.partition = $1`,
    [partition, from.toString(), limit],
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
  headers: new Map(row.header_names.map((name, index) => [name, row.header_values[index] ?? Buffer.alloc(0)])),
  value: row.value,
  timestamp: row.time.getTime(),
});

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
