/**
 * Appends to one partition wait for each other in any case, at the lock on its head. So while one statement is on its way, the commands
 * that come meanwhile wait here and are the next one: one commit for many. Alone, a command waits for nobody. A statement stands in the
 * trace of its first command, not in that of whoever began the loop.
 */
import { type Context, context } from '@opentelemetry/api';
import type pg from 'pg';
import { isTransient } from '#libs/postgres';
import { LogUnavailable, type RecordToAppend } from '../port.js';

/** One command's records, side by side in the log. */
export interface CommandToAppend {
  readonly key: string;
  readonly records: readonly RecordToAppend[];
}

/** What the log made of them. */
export interface Written {
  /** Offset of the first record. */
  readonly base: bigint;
  /** Milliseconds since 1970, of all records that brought none. */
  readonly time: number;
}

interface Waiting extends CommandToAppend {
  readonly context: Context;
  resolve(offset: bigint): void;
  reject(error: unknown): void;
}

export interface Appends {
  /**
   * @returns offset of its first record
   * @throws LogUnavailable: not appended, or nobody knows
   */
  add(partition: number, command: CommandToAppend): Promise<bigint>;
}

/** Writes all of them or none. */
type Write = (partition: number, commands: readonly CommandToAppend[]) => Promise<Written>;

/** Records of one statement: it takes its headers out of one array, and that is no longer cheap for many. */
const MAX_RECORDS = 100;
const MAX_WAITING = 10_000;

export function createAppends(write: Write): Appends {
  const queues = new Map<number, Waiting[]>();
  const writeAs = (partition: number, batch: readonly Waiting[]) =>
    context.with(batch[0]?.context ?? context.active(), () => write(partition, batch));

  /** One statement after the other until nobody waits. */
  async function pump(partition: number, queue: Waiting[]): Promise<void> {
    while (queue.length > 0) {
      const batch = take(queue);
      try {
        settle(batch, (await writeAs(partition, batch)).base);
      } catch (error) {
        if (batch.length === 1 || error instanceof LogUnavailable) for (const one of batch) one.reject(error);
        else for (const one of batch) await writeAs(partition, [one]).then(({ base }) => one.resolve(base), one.reject);
      }
    }
    queues.delete(partition);
  }

  return {
    add: (partition, command) =>
      new Promise((resolve, reject) => {
        const waiting = { ...command, context: context.active(), resolve, reject };
        const queue = queues.get(partition);
        if (queue && queue.length >= MAX_WAITING) reject(new LogUnavailable('too many appends are waiting'));
        else if (queue) queue.push(waiting);
        else {
          const made = [waiting];
          queues.set(partition, made);
          void pump(partition, made);
        }
      }),
  };
}

function take(queue: Waiting[]): readonly Waiting[] {
  let records = 0;
  let count = 0;
  for (const one of queue) {
    records += one.records.length;
    if (count > 0 && records > MAX_RECORDS) break;
    count += 1;
  }
  return queue.splice(0, count);
}

function settle(batch: readonly Waiting[], first: bigint): void {
  let offset = first;
  for (const { records, resolve } of batch) {
    resolve(offset);
    offset += BigInt(records.length);
  }
}

const APPEND = `
  with head as (
    update log_head set next_offset = next_offset + cardinality($3::bytea[])
    where partition = $1 returning next_offset - cardinality($3::bytea[]) as base, clock_timestamp()::timestamptz(3) as now
  ), written as (
    insert into event_log (partition, "offset", key, header_names, header_values, value, time)
    select $1, head.base + r.ordinal - 1, r.key,
           ($4::text[])[r.first : r.first + r.size - 1], ($5::bytea[])[r.first : r.first + r.size - 1],
           r.value, coalesce(to_timestamp(r.time / 1000.0), head.now)
    from head, unnest($2::text[], $3::bytea[], $6::int[], $7::int[], $8::float8[]) with ordinality as r(key, value, first, size, time, ordinal)
  )
  select base, extract(epoch from now) * 1000 as time from head`;

/** @throws LogUnavailable */
export async function writeCommands(
  pool: pg.Pool,
  partition: number,
  commands: readonly CommandToAppend[],
): Promise<Written> {
  const records = commands.flatMap((command) => command.records);
  let first = 1;
  const firsts = records.map(({ headers }) => {
    const start = first;
    first += headers.size;
    return start;
  });
  try {
    const { rows } = await pool.query<{ base: string; time: string }>({
      // Prepared once per connection: parsing and planning it each time was a good part of an append (bench/append.mjs).
      name: 'append',
      text: APPEND,
      values: [
        partition,
        commands.flatMap(({ key, records: own }) => own.map(() => key)),
        records.map(({ value }) => value),
        records.flatMap(({ headers }) => [...headers.keys()]),
        records.flatMap(({ headers }) => [...headers.values()]),
        firsts,
        records.map(({ headers }) => headers.size),
        records.map(({ timestamp }) => timestamp ?? null),
      ],
    });
    const [row] = rows;
    if (!row) throw new RangeError(`there is no partition ${partition}`);
    return { base: BigInt(row.base), time: Number(row.time) };
  } catch (error) {
    throw isTransient(error) ? new LogUnavailable('the log cannot be reached', { cause: error }) : error;
  }
}
