import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { LogRecord } from '#libs/event-log';
import { silent as logger } from '../../test/support/silent.js';
import { catalog, set, station } from '../../test/support/station.js';
import { createTestDatabase, type TestDatabase } from '../../test/support/test-database.js';
import { BatchSize } from './batch-size.js';
import { claim } from './checkpoint.js';
import { batchesOf, groupByCommand } from './commands-of.js';
import { Committer } from './committer.js';
import { ParkingRate, PartitionHalted } from './parking-rate.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

type Station = Awaited<ReturnType<typeof station>>;

/** Claims the partition as a process of its own. */
async function projecting(stationed: Station, rate = new ParkingRate()) {
  const { log, journal, generation, pool } = stationed;
  await pool.query(`update projection_checkpoint set lease_until = '-infinity'`);
  const claimed = await claim(pool, 0, randomUUID());
  if (!claimed) throw new Error('the claim was declined');
  const size = new BatchSize();
  const commits: number[] = [];
  const committer = new Committer({
    ...{ pool, set, catalog, generation, logger, claimed, reader: journal.reader(), size, rate },
    skipped: new Set(),
    onCommit: ({ events }) => void commits.push(events),
  });
  /** Folds what the log holds, as one batch or as the projector would cut it. */
  const fold = async (records?: readonly LogRecord[]) => {
    const { records: all, nextOffset } = await log.read(0, claimed.next, 10_000);
    const some = records ?? all;
    const end = records ? (records.at(-1)?.offset ?? -1n) + 1n : nextOffset;
    await committer.run(
      records ? [{ records: some, next: end }] : batchesOf(groupByCommand(some), { from: claimed.next, end }, size),
    );
  };
  return { claimed, fold, size, commits };
}

/** Refuses rows of these ids with this SQLSTATE, wherever they are written. */
async function refuse({ pool }: Station, table: string, column: string, value: string, state: string) {
  const name = `refuse_${randomUUID().slice(0, 8)}`;
  await pool.query(`create function ${name}() returns trigger language plpgsql as $$ begin
    if new.${column}::text like '${value}' then raise exception 'refused: %', new.${column} using errcode = '${state}'; end if;
    return new; end $$`);
  await pool.query(
    `create trigger ${name} before insert or update on ${table} for each row execute function ${name}()`,
  );
  return () => pool.query(`drop function ${name} cascade`);
}

const totals = async ({ pool }: Station) =>
  Object.fromEntries((await pool.query('select id, total from counter')).rows.map(({ id, total }) => [id, total]));
const parkedStreams = async ({ pool }: Station) =>
  (await pool.query('select stream, reason from parked_event order by "offset"')).rows;
const letters = async ({ generation }: Station) =>
  (
    await database.pool.query(
      'select "offset"::int, reason from dead_letter where log_identity = $1 order by "offset"',
      [generation.logIdentity],
    )
  ).rows;

describe('what the database refuses', () => {
  it.each([
    ['22003', 'a number out of range'],
    ['23514', 'a check'],
    ['21000', 'a row twice in a statement'],
    ['54000', 'a limit of the program'],
    ['P0001', 'an error nobody knows'],
  ])('I4: an event refused with %s (%s) parks its stream; the rest of its batch is folded', async (state) => {
    const stationed = await station(database);
    await refuse(stationed, 'counter', 'id', 'bad', state);
    for (let turn = 0; turn < 20; turn++) await stationed.count(['a']);
    await stationed.count(['bad']);
    for (let turn = 0; turn < 20; turn++) await stationed.count(['b']);
    const { claimed, fold } = await projecting(stationed);
    await fold();
    expect(claimed.next).toBe(41n);
    expect(await totals(stationed)).toEqual({ a: 20, b: 20 });
    expect(await parkedStreams(stationed)).toEqual([{ stream: 'bad', reason: `the database refused it (${state})` }]);
    await stationed.pool.end();
  });

  it('I4: of a command of many streams the one event that is refused parks its own stream alone', async () => {
    const stationed = await station(database);
    await refuse(stationed, 'counter', 'id', 'bad%', '23514');
    const ids = Array.from({ length: 40 }, (_, index) => (index === 7 || index === 31 ? `bad${index}` : `k${index}`));
    await stationed.countEach(ids.map((id) => ({ id })));
    const { fold } = await projecting(stationed);
    await fold();
    expect(Object.keys(await totals(stationed))).toHaveLength(38);
    expect((await parkedStreams(stationed)).map(({ stream }) => stream)).toEqual(['bad7', 'bad31']);
    await stationed.pool.end();
  });

  it('case S7: a key that no index can hold (54000) parks its stream', async () => {
    const stationed = await station(database);
    await stationed.countEach([{ id: randomBytes(6_000).toString('hex'), stream: 's' }]);
    await stationed.count(['a']);
    const { claimed, fold } = await projecting(stationed);
    await fold();
    expect(claimed.next).toBe(2n);
    expect(await totals(stationed)).toEqual({ a: 1 });
    expect(await parkedStreams(stationed)).toEqual([{ stream: 's', reason: 'the database refused it (54000)' }]);
    await stationed.pool.end();
  });

  it('case S3: data that the database refuses while rows are loaded parks its stream', async () => {
    const stationed = await station(database);
    await stationed.pool.query('alter table counter rename to real_counter');
    // Reading this row divides by zero.
    await stationed.pool.query(
      'create view counter as select conference, id, 1 / (total - 1) as total from real_counter',
    );
    await stationed.pool.query(`insert into real_counter values ('c1', '1', 1)`);
    await stationed.count(['1']);
    const { claimed, fold } = await projecting(stationed);
    await fold();
    expect(claimed.next).toBe(1n);
    expect(await parkedStreams(stationed)).toEqual([{ stream: '1', reason: 'the database refused it (22012)' }]);
    await stationed.pool.end();
  });

  it.each(['park it', 'park it, and the park path is refused with 22021'])(
    'case S2: an event that can neither be folded nor parked is a dead letter: %s',
    async (how) => {
      const stationed = await station(database);
      await refuse(stationed, 'counter', 'id', 'bad', '22003');
      const [table, column] =
        how === 'park it' ? (['parked_event', 'stream'] as const) : (['held_stream', 'stream'] as const);
      await refuse(stationed, table, column, 'bad', '22021');
      await stationed.count(['a']);
      await stationed.countEach([{ id: 'b' }, { id: 'bad' }, { id: 'c' }]);
      await stationed.count(['a']);
      const { claimed, fold } = await projecting(stationed);
      await fold();
      expect(claimed.next).toBe(5n);
      expect(await totals(stationed)).toEqual({ a: 2, b: 1, c: 1 });
      expect(await parkedStreams(stationed)).toEqual([]);
      expect(await letters(stationed)).toEqual([{ offset: 2, reason: 'the database refused it (22021)' }]);
      await stationed.pool.end();
    },
  );

  it.each(['53100', '42P01', '42501', '40001', '25006', '57014', 'XX001', '08006', '55P03'])(
    'I4: nothing is parked for %s, which says nothing about the event; mended, it goes on by itself',
    async (state) => {
      const stationed = await station(database);
      const mend = await refuse(stationed, 'counter', 'id', 'bad', state);
      await stationed.count(['a']);
      await stationed.count(['bad']);
      const { claimed, fold } = await projecting(stationed);
      await expect(fold()).rejects.toMatchObject({ code: state });
      await expect(fold()).rejects.toMatchObject({ code: state });
      expect(await parkedStreams(stationed)).toEqual([]);
      await mend();
      await fold();
      expect(claimed.next).toBe(2n);
      expect(await totals(stationed)).toEqual({ a: 1, bad: 1 });
      await stationed.pool.end();
    },
  );

  it('I4: refused one after the other by a fault of the schema, the partition halts after three, for the next process too', async () => {
    const stationed = await station(database);
    const mend = await refuse(stationed, 'counter', 'id', '%', '42703');
    for (let turn = 0; turn < 6; turn++) await stationed.count([`k${turn}`]);
    const first = await projecting(stationed);
    await expect(first.fold()).rejects.toThrow(PartitionHalted);
    await expect(first.fold()).rejects.toThrow(PartitionHalted);
    expect((await parkedStreams(stationed)).map(({ stream }) => stream)).toEqual(['k0', 'k1', 'k2']);
    const second = await projecting(stationed);
    await expect(second.fold()).rejects.toThrow('at offset 3');
    expect(await parkedStreams(stationed)).toHaveLength(3);
    await mend();
    await second.fold();
    expect(await totals(stationed)).toEqual({ k3: 1, k4: 1, k5: 1 });
    expect((await stationed.pool.query('select halted from projection_checkpoint')).rows).toEqual([{ halted: null }]);
    await stationed.pool.end();
  });

  it('data errors park as many commands as there are', async () => {
    const stationed = await station(database);
    await refuse(stationed, 'counter', 'id', 'bad%', '22003');
    for (let turn = 0; turn < 8; turn++) await stationed.count([turn % 2 === 0 ? `bad${turn}` : 'good']);
    const { claimed, fold } = await projecting(stationed);
    await fold();
    expect([claimed.next, (await parkedStreams(stationed)).length]).toEqual([8n, 4]);
    await stationed.pool.end();
  });
});

describe('records that no table could hold', () => {
  const at = (records: readonly LogRecord[], offset: number, change: (record: LogRecord) => LogRecord) =>
    records.map((record) => (Number(record.offset) === offset ? change(record) : record));
  const withHeader = (name: string, value: Buffer | string) => (record: LogRecord) => ({
    ...record,
    headers: new Map([...record.headers, [name, Buffer.from(value)]]),
  });

  it.each<[string, (record: LogRecord) => LogRecord]>([
    ['S1: a NUL in the actor', withHeader('ce_actor', 'a\u0000')],
    ['S1: a NUL in the stream', withHeader('ce_stream', 'a\u0000')],
    ['S1: an actor that is no UTF-8', withHeader('ce_actor', Buffer.from([0xff, 0xfe]))],
    ['S1: a subject of 3,000 bytes', withHeader('ce_subject', 'x'.repeat(3_000))],
    ['S1: a NUL in the reason', withHeader('ce_reason', 'because\u0000')],
    ['S1: a NUL in the key', (record) => ({ ...record, key: 'c\u0000' })],
    ['S1: a key of 3,000 bytes', (record) => ({ ...record, key: 'c'.repeat(3_000) })],
    ['S9: a time after the year 9999', (record) => ({ ...record, timestamp: 253_402_300_800_000 })],
    ['S9: a time that Postgres cannot hold', (record) => ({ ...record, timestamp: 9.3e15 })],
    ['S9: a time before 1970', (record) => ({ ...record, timestamp: -1 })],
    ['S9: a time that is none', (record) => ({ ...record, timestamp: Number.NaN })],
  ])('case %s: the record is a dead letter, and its neighbours are folded', async (_, change) => {
    const stationed = await station(database);
    for (const id of ['a', 'poison', 'b']) await stationed.count([id]);
    const { claimed, fold } = await projecting(stationed);
    await fold(at((await stationed.log.read(0, 0n, 10)).records, 1, change));
    expect(claimed.next).toBe(3n);
    expect(await totals(stationed)).toEqual({ a: 1, b: 1 });
    expect((await letters(stationed)).map(({ offset }) => offset)).toEqual([1]);
    await stationed.pool.end();
  });

  it('case S8: ids that differ in half of a surrogate pair, one row to Postgres, park their streams', async () => {
    const stationed = await station(database);
    for (const id of ['a', 'x', 'y']) await stationed.count([id]);
    const data = (id: string) => (record: LogRecord) => ({ ...record, value: Buffer.from(`{"id":"${id}","by":1}`) });
    const { records } = await stationed.log.read(0, 0n, 10);
    const { claimed, fold } = await projecting(stationed);
    await fold(at(at(records, 1, data('\\ud800')), 2, data('\\udfff')));
    expect(claimed.next).toBe(3n);
    expect(await totals(stationed)).toEqual({ a: 1 });
    expect((await parkedStreams(stationed)).map(({ reason }) => reason)).toEqual([
      'data has characters that cannot be stored',
      'data has characters that cannot be stored',
    ]);
    await stationed.pool.end();
  });
});

describe('batches', () => {
  it('case S10: a batch ends at 4 MB, whatever its number of events; after failures the next ones are smaller', async () => {
    const stationed = await station(database);
    const bulky = 'x'.repeat(500_000);
    for (let turn = 0; turn < 20; turn++) await stationed.countEach([{ id: `k${turn}`, stream: `s${turn}` }]);
    const records = (await stationed.log.read(0, 0n, 100)).records.map((record) => ({
      ...record,
      headers: new Map([...record.headers, ['filler', Buffer.from(bulky)]]),
    }));
    const size = new BatchSize();
    const cut = [...batchesOf(groupByCommand(records), { from: 0n, end: 20n }, size)];
    expect(cut.map((batch) => batch.records.length)).toEqual([9, 9, 2]);
    for (let turn = 0; turn < 20; turn++) size.failed();
    expect([...batchesOf(groupByCommand(records), { from: 0n, end: 20n }, size)]).toHaveLength(20);
    for (let turn = 0; turn < 40; turn++) size.observe(size.current, 1);
    expect(size.current).toBe(500);
    await stationed.pool.end();
  });

  it('case S11: what fails after a commit is not taken for a failed write: the batch is written once', async () => {
    const stationed = await station(database);
    const { journal, generation, pool, log } = stationed;
    for (let turn = 0; turn < 4; turn++) await stationed.count(['a']);
    const claimed = await claim(pool, 0, randomUUID());
    if (!claimed) throw new Error('the claim was declined');
    let commits = 0;
    const committer = new Committer({
      ...{ pool, set, catalog, generation, logger, claimed, reader: journal.reader(), size: new BatchSize() },
      skipped: new Set(),
      onCommit: () => {
        commits += 1;
        throw Object.assign(new Error('a bug, or a statement that was refused'), { code: '22003' });
      },
    });
    const { records } = await log.read(0, 0n, 10);
    await committer.run([
      { records: records.slice(0, 2), next: 2n },
      { records: records.slice(2), next: 4n },
    ]);
    expect([claimed.next, commits, await totals(stationed)]).toEqual([4n, 2, { a: 4 }]);
    await pool.end();
  });
});
