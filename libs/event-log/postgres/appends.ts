/**
 * Appends to one partition wait for each other in any case, at the lock on its head. So while one statement is on its way, the commands
 * that come meanwhile wait here, in lanes, and are the next one: one commit for many. With many in flight a statement begins at most
 * every 2 ms; a lone command and a desk's wait for no others. A statement stands in the trace of its first command, not in that of
 * whoever began the loop.
 */
import { type Context, context } from '@opentelemetry/api';
import type pg from 'pg';
import { defineLimit } from '#libs/limits';
import { isTransient } from '#libs/postgres';
import { type Lane, LaneQueue, Pace } from '../lanes.js';
import { LogUnavailable, type RecordToAppend } from '../port.js';
import { packHeaders } from './packed-headers.js';

/** One command's records, side by side in the log. */
export interface CommandToAppend {
  readonly key: string;
  readonly records: readonly RecordToAppend[];
  readonly lane?: Lane;
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

/** Records of one statement: more gain little, and a desk's command waits for it. */
const MAX_RECORDS = defineLimit({
  name: 'log.append.records',
  value: 100,
  unit: 'records',
  beyond: 'in the next statement; one command is never split',
});
/** Beside them, so many of bulk commands, or one such command (D8): an import holds up no desk. */
const MAX_BULK_RECORDS = defineLimit({
  name: 'log.append.bulk-records',
  value: 50,
  unit: 'records',
  beyond: 'in the next statement; one command is never split',
});
/** In each lane. */
const MAX_WAITING = defineLimit({
  name: 'log.append.waiting',
  value: 10_000,
  unit: 'commands',
  beyond: 'per partition and lane: refused with 104',
});

/** With 5 ms sixteen senders, of which each waits for its command before it sends the next, lost a tenth of their rate (bench/append.mjs). */
const EVERY_MS = 2;

interface Queue {
  readonly waiting: LaneQueue<Waiting>;
  readonly pace: Pace;
}

export function createAppends(write: Write): Appends {
  const queues = new Map<number, Queue>();
  const writeAs = (partition: number, batch: readonly Waiting[]) =>
    context.with(batch[0]?.context ?? context.active(), () => write(partition, batch));

  /** One statement after the other until nobody waits. */
  async function pump(partition: number, queue: Queue): Promise<void> {
    while (queue.waiting.size > 0) {
      const rest = queue.pace.restBefore(queue.waiting);
      if (rest > 0) await queue.pace.rest(rest);
      queue.pace.begun();
      const batch = take(queue.waiting);
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
        const lane = command.lane ?? 'attendee';
        const known = queues.get(partition);
        if (known && known.waiting.sizeOf(lane) >= MAX_WAITING) {
          reject(new LogUnavailable('too many appends are waiting'));
          return;
        }
        const queue = known ?? { waiting: new LaneQueue<Waiting>(), pace: new Pace(EVERY_MS) };
        queue.waiting.push(lane, waiting);
        if (lane === 'interactive') queue.pace.hurry();
        if (known) return;
        queues.set(partition, queue);
        void pump(partition, queue);
      }),
  };
}

function take(waiting: LaneQueue<Waiting>): readonly Waiting[] {
  const batch: Waiting[] = [];
  let [records, bulk] = [0, 0];
  for (;;) {
    const next = waiting.next(({ records: { length } }, lane) =>
      lane === 'bulk'
        ? bulk === 0 || bulk + length <= MAX_BULK_RECORDS
        : records === 0 || records + length <= MAX_RECORDS,
    );
    if (!next) return batch;
    batch.push(next.item);
    if (next.lane === 'bulk') bulk += next.item.records.length;
    else records += next.item.records.length;
  }
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
    insert into event_log (partition, "offset", key, headers, value, time)
    select $1, head.base + r.ordinal - 1, r.key, r.headers, r.value, coalesce(to_timestamp(r.time / 1000.0), head.now)
    from head, unnest($2::text[], $3::bytea[], $4::bytea[], $5::float8[]) with ordinality as r(key, value, headers, time, ordinal)
  )
  select base, extract(epoch from now) * 1000 as time from head`;

/** @throws LogUnavailable */
export async function writeCommands(
  pool: pg.Pool,
  partition: number,
  commands: readonly CommandToAppend[],
): Promise<Written> {
  const records = commands.flatMap((command) => command.records);
  try {
    const { rows } = await pool.query<{ base: string; time: string }>({
      // Prepared once per connection: parsing and planning it each time was a good part of an append (bench/append.mjs).
      name: 'append',
      text: APPEND,
      values: [
        partition,
        commands.flatMap(({ key, records: own }) => own.map(() => key)),
        records.map(({ value }) => value),
        records.map(({ headers }) => packHeaders(headers)),
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
