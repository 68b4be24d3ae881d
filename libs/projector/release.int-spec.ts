import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { EventReader } from '#libs/event-log';
import { silent as logger } from '../../test/support/silent.js';
import { catalog, set, station } from '../../test/support/station.js';
import { createTestDatabase, type TestDatabase } from '../../test/support/test-database.js';
import { BatchSize } from './batch-size.js';
import { claim } from './checkpoint.js';
import { batchesOf, groupByCommand } from './commands-of.js';
import { Committer } from './committer.js';
import { MAX_RELEASED_EVENTS } from './release-slices.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

type Station = Awaited<ReturnType<typeof station>>;
const WAITING = 3 * MAX_RELEASED_EVENTS + 50;

/** A stream that waits behind an event which the database refuses, and another stream beside it. */
async function waiting(events = WAITING) {
  const stationed = await station(database);
  const { pool, countEach } = stationed;
  await pool.query(`create function refuse() returns trigger language plpgsql as $$ begin
    if new.id like 'bad%' then raise exception 'refused' using errcode = '22003'; end if; return new; end $$`);
  await pool.query('create trigger refuse before insert or update on counter for each row execute function refuse()');
  await countEach([{ id: 'bad', stream: 's' }]);
  for (let turn = 1; turn <= events; turn++) await countEach([{ id: `k${turn % 40}`, stream: 's' }]);
  await countEach([{ id: 'other' }]);
  return stationed;
}

const skip = ({ journal }: Station, offset: number) =>
  journal.append({
    conference: 'c1',
    commandId: randomUUID(),
    source: 'test',
    actor: 'operator',
    actorRole: 'operator',
    events: [{ type: 'event-skipped', subject: 'c1', stream: null, data: { offset } }],
  });

/** A process that folds what the log holds. */
async function projecting({ pool, log, journal, generation }: Station, reader: EventReader = journal.reader()) {
  await pool.query(`update projection_checkpoint set lease_until = '-infinity'`);
  const claimed = await claim(pool, 0, randomUUID());
  if (!claimed) throw new Error('the claim was declined');
  const slices: { readonly next: number; readonly visible: number }[] = [];
  const size = new BatchSize();
  const committer = new Committer({
    ...{ pool, set, catalog, generation, logger, claimed, reader, size },
    skipped: new Set(),
    onCommit: ({ next, documents }) => void slices.push({ next: Number(next), visible: documents.length }),
  });
  const fold = async () => {
    const { records, nextOffset } = await log.read(0, claimed.next, 10_000);
    const range = { from: claimed.next, end: nextOffset };
    await committer.run(batchesOf(groupByCommand(records), range, size, committer.isRelease));
  };
  return { claimed, fold, slices };
}

const stateOf = async ({ pool }: Station) => {
  const all = async (text: string) => (await pool.query(text)).rows;
  return {
    counters: await all('select id, total from counter order by id'),
    documents: await all('select key, version::int, body from feed_document order by key'),
    held: await all('select stream, "offset"::int from held_stream'),
    parked: await all('select "offset"::int, reason from parked_event order by "offset"'),
    postponed: await all('select * from postponed_document'),
    outcomes: await all('select command_id, base::int, applied, held, because from applied_command order by base'),
    audit: await all('select "offset"::int, type, no_effect from audit_entry order by "offset"'),
    head: await all('select head::int from feed_head'),
  };
};

describe('the release of a stream', () => {
  it('case S6: is written in slices; nothing shows before the last one, and a process that dies in between is taken over', async () => {
    const stationed = await waiting();
    const first = await projecting(stationed);
    await first.fold();
    const offset = WAITING + 2;
    expect((await stateOf(stationed)).parked).toHaveLength(WAITING + 1);
    await skip(stationed, 0);
    await stationed.count(['after']);
    const inner = stationed.journal.reader();
    let decodes = 0;
    const dying: EventReader = {
      decode: (partition, records) => {
        // Rows are decoded in parts of a slice: this is in the middle of the third.
        decodes += 1;
        if (decodes === 26) throw Object.assign(new Error('the server ends'), { code: '57P01' });
        return inner.decode(partition, records);
      },
    };
    const second = await projecting(stationed, dying);
    await expect(second.fold()).rejects.toMatchObject({ code: '57P01' });
    const halfway = await stateOf(stationed);
    expect(halfway.head).toEqual([{ head: WAITING + 1 }]);
    expect(halfway.parked.length).toBeGreaterThan(0);
    expect(halfway.parked.length).toBeLessThan(WAITING);
    expect(second.claimed.next).toBe(BigInt(offset));
    expect(halfway.documents.map(({ key }) => key)).toEqual(['counter/other', 'outcomes/last']);

    const third = await projecting(stationed);
    await third.fold();
    expect(third.slices.length).toBeGreaterThan(2);
    const done = await stateOf(stationed);
    expect(done).toMatchObject({ held: [], parked: [], postponed: [], head: [{ head: offset + 1 }] });
    expect(Object.fromEntries(done.counters.map(({ id, total }) => [id, total]))).toEqual({
      after: 1,
      other: 1,
      ...Object.fromEntries(
        Array.from({ length: 40 }, (_, k) => [
          `k${k}`,
          Array.from({ length: WAITING }, (__, turn) => turn + 1).filter((turn) => turn % 40 === k).length,
        ]),
      ),
    });
    // Each document once, at the version of the release.
    const released = done.documents.filter(({ key }) => key.startsWith('counter/k'));
    expect(released).toHaveLength(40);
    expect(new Set(released.map(({ version }) => version))).toEqual(new Set([offset]));
    expect(done.outcomes.filter(({ held }) => held !== 0)).toEqual([]);
    expect(done.outcomes.filter(({ because }) => because !== null)).toMatchObject([
      { base: 0, because: 'dropped by an operator' },
    ]);
    await stationed.pool.end();
  }, 60_000);

  it('case S5: a second waiting event that the database refuses holds the stream again, and can be dropped likewise', async () => {
    const stationed = await waiting(5);
    const { countEach } = stationed;
    await countEach([{ id: 'bad again', stream: 's' }]);
    await countEach([{ id: 'last', stream: 's' }]);
    await skip(stationed, 0);
    await countEach([{ id: 'elsewhere' }]);
    const { fold, claimed } = await projecting(stationed);
    await fold();
    expect(claimed.next).toBe(11n);
    const between = await stateOf(stationed);
    expect(between.held).toEqual([{ stream: 's', offset: 7 }]);
    expect(between.parked).toEqual([
      { offset: 7, reason: 'the database refused it (22003)' },
      { offset: 8, reason: 'waits for its stream' },
    ]);
    expect(between.counters.map(({ id }) => id)).toEqual(['elsewhere', 'k1', 'k2', 'k3', 'k4', 'k5', 'other']);
    expect(between.audit.filter(({ type }) => type === 'event-skipped')).toEqual([]);
    const letters = await database.pool.query('select 1 from dead_letter where log_identity = $1', [
      stationed.generation.logIdentity,
    ]);
    expect(letters.rowCount).toBe(0);
    await skip(stationed, 7);
    await fold();
    const done = await stateOf(stationed);
    expect(done).toMatchObject({ held: [], parked: [], postponed: [] });
    expect(done.counters.map(({ id }) => id)).toContain('last');
    await stationed.pool.end();
  }, 60_000);
});
