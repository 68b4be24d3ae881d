import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { until } from '../../test/support/process.js';
import { createTestDatabase, type TestDatabase } from '../../test/support/test-database.js';
import { createFeed } from './feed.js';
import type { Advance, ConferenceFeed, Feed } from './types.js';

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const CONFERENCE = 'c1';
const WAIT = 5_000;

describe('the feed on Postgres', () => {
  let db: TestDatabase;
  let feed: Feed;

  beforeAll(async () => {
    db = await createTestDatabase();
    await db.pool.query('drop table if exists public.generation cascade');
    await db.pool.query(
      'create table public.generation (id int primary key, state text, schema_name text, log_identity text)',
    );
  });
  beforeEach(async () => {
    await db.pool.query('delete from public.generation');
    await generation(1);
    await db.pool.query(`update public.generation set state = 'live'`);
    await commit(1, 1, [['a', '{"n":1}']]);
    feed = createFeed({ pool: db.pool, url: db.url, partitions: 1, logger: silent });
  });
  afterEach(async () => {
    await feed.close();
  });
  afterAll(() => db.drop());

  async function generation(id: number): Promise<void> {
    await db.pool.query(`
      drop schema if exists g${id} cascade; create schema g${id};
      create table g${id}.feed_head (conference text primary key, head bigint, floor bigint, proof bigint);
      create table g${id}.feed_history (conference text, head bigint, proof bigint, primary key (conference, head));
      create table g${id}.feed_document (conference text, channel text, key text, version bigint, body json,
        traceparent text, appended_at timestamptz, mark text, bucket bigint, primary key (conference, channel, key));
      create table g${id}.applied_command (conference text, command_id uuid, base bigint, applied int, held int, because text,
        primary key (conference, command_id));
      create table g${id}.projection_checkpoint (partition int primary key, as_of timestamptz);
      insert into g${id}.projection_checkpoint values (0, clock_timestamp());
      insert into public.generation values (${id}, 'building', 'g${id}', 'log')`);
  }

  async function commit(id: number, head: number, documents: [string, string | null][], floor = 0): Promise<void> {
    await db.pool.query(
      `with d as (insert into g${id}.feed_document select $1, 'schedule', k, $2, b::json, null, null, 'm' || $2::bigint, $2::bigint >> 8
         from unnest($3::text[], $4::text[]) as t(k, b)
         on conflict (conference, channel, key) do update set version = excluded.version, mark = excluded.mark, body = excluded.body, bucket = excluded.bucket), p as (
         insert into g${id}.feed_history values ($1, $2, $6) on conflict (conference, head) do nothing)
       insert into g${id}.feed_head values ($1, $2, $5, $6)
         on conflict (conference) do update set head = excluded.head, floor = excluded.floor, proof = excluded.proof`,
      [CONFERENCE, head, documents.map(([key]) => key), documents.map(([, body]) => body), floor, head * 1_000],
    );
  }

  async function opened(): Promise<ConferenceFeed> {
    const open = await feed.open(CONFERENCE);
    if (typeof open === 'string') throw new Error(open);
    return open.feed;
  }

  const nextAdvance = (replica: ConferenceFeed) =>
    new Promise<Advance>((resolve) => {
      const end = replica.onAdvance((advance) => {
        end();
        resolve(advance);
      });
    });

  it('case V17: what became of a command comes with the reading of its state, by no statement of its own', async () => {
    const replica = await opened();
    const ids = ['00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002'];
    const outcomes = ids.map((id) => replica.outcome(id, 5, WAIT));
    await db.pool.query(`insert into g1.applied_command values ($1, $2, 5, 1, 0, null)`, [CONFERENCE, ids[0]]);
    await commit(1, 5, [['b', '{"n":2}']]);
    feed.wake();
    expect(await Promise.all(outcomes)).toEqual([{ base: 5, applied: 1, held: 0, because: null }, null]);
    expect(await replica.outcome(ids[1] ?? '', 6, 10)).toBeUndefined();
  });

  it('I6: a commit whose NOTIFY is lost is found by polling, and the frame ends at the head read', async () => {
    const replica = await opened();
    const advance = nextAdvance(replica);
    await commit(1, 7, [['b', '{"n":2}']]);
    expect(await advance).toMatchObject({ head: 7, from: 1, reloaded: false, channels: new Set(['schedule']) });
    expect(JSON.parse(replica.changes('schedule', 1)?.json ?? '')).toMatchObject({
      to: 7,
      entries: [['b', 7, { n: 2 }]],
      marks: ['m7'],
    });
    expect(replica.document('schedule', 'b')).toMatchObject({ version: 7, body: { n: 2 } });
  });

  it('I6: a floor above the cursor, and more than 5,000 documents behind, reload', async () => {
    const replica = await opened();
    const floor = nextAdvance(replica);
    await commit(1, 9, [['b', '{}']], 5);
    expect(await floor).toMatchObject({ head: 9, reloaded: true });
    const many = nextAdvance(replica);
    await commit(
      1,
      10,
      Array.from({ length: 5_001 }, (_, index): [string, string] => [`k${index}`, '{}']),
      5,
    );
    expect(await many).toMatchObject({ head: 10, reloaded: true });
    expect(replica.documents('schedule')).toHaveLength(5_003);
    expect(replica.resume('schedule', [replica.epoch, 4]).kind).toBe('snapshot');
  });

  it('I6: a switched generation is another epoch: reloaded, and a cursor of the old one is not current', async () => {
    const replica = await opened();
    const before = replica.epoch;
    await generation(2);
    await commit(2, 3, [['z', '{}']]);
    const advance = nextAdvance(replica);
    await db.pool.query(`update public.generation set state = case when id = 2 then 'live' else 'old' end`);
    expect(await advance).toMatchObject({ reloaded: true, head: 3, epoch: replica.epoch });
    expect(await feed.checkPrimary(WAIT)).toBe(true);
    expect(replica.epoch).not.toBe(before);
    expect(replica.resume('schedule', [before, 1])).toEqual({ kind: 'ahead' });
    expect(replica.document('schedule', 'a')).toBeUndefined();
  });

  it('I7: the age grows while nobody writes as_of, and a later as_of settles', async () => {
    const replica = await opened();
    const age = replica.age();
    expect(await replica.settled(250)).toBe(false);
    expect(replica.age()).toBeGreaterThanOrEqual(age + 240);
    const settled = replica.settled(WAIT);
    await db.pool.query(`update g1.projection_checkpoint set as_of = clock_timestamp() + interval '1 second'`);
    expect(await settled).toBe(true);
    expect(replica.age()).toBeLessThan(age + 240);
  });

  it('I7: killed connections are replaced by themselves; meanwhile the replica serves', async () => {
    const replica = await opened();
    await db.pool.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    );
    expect(replica.document('schedule', 'a')).toBeDefined();
    await commit(1, 4, []);
    expect(await replica.reached(4, WAIT)).toBe(true);
  });

  it('I8: 2,000 opens are one load, and 2,000 resumes send no SQL', async () => {
    const opens = await Promise.all(Array.from({ length: 2_000 }, () => feed.open(CONFERENCE)));
    expect(opens.every((open) => typeof open !== 'string')).toBe(true);
    expect(feed.stats().loads).toBe(1);
    const replica = await opened();
    const before = feed.stats();
    for (let index = 0; index < 2_000; index++) replica.resume('schedule', index % 2 ? null : [replica.epoch, 0]);
    expect(feed.stats()).toEqual({
      ...before,
      frameBytes: expect.any(Number),
      resumes: { ...before.resumes, snapshot: 1_000, changes: 1_000 },
    });
  });

  it('I9: unknown names keep no memory and share one look; the 2,001st waiter is told to come again', async () => {
    const opens = await Promise.all(Array.from({ length: 2_001 }, (_, index) => feed.open(`nonsense ${index}`)));
    expect(opens.filter((open) => open === 'unknown')).toHaveLength(2_000);
    expect(opens.at(-1)).toBe('busy');
    expect(feed.stats()).toMatchObject({ loads: 0, loaded: 0 });
    const { statements, polls } = feed.stats();
    expect(statements - polls).toBeLessThanOrEqual(4);
  });

  it('finds a conference that its opener has just made, although its name was looked for a moment ago', async () => {
    expect(await feed.open('fresh')).toBe('unknown');
    await db.pool.query(`insert into g1.feed_head values ('fresh', 1, 0) on conflict do nothing`);
    expect(await feed.open('fresh', performance.now())).toMatchObject({ feed: { conference: 'fresh', head: 1 } });
  });

  it('says "unknown" only of what is not there once all from before is folded, and holds up nobody meanwhile', async () => {
    await db.pool.query(`update g1.projection_checkpoint set as_of = clock_timestamp() - interval '1 minute'`);
    const answers: string[] = [];
    const open = async (conference: string) => {
      const answer = await feed.open(conference, performance.now());
      answers.push(typeof answer === 'string' ? answer : `${conference} is there`);
    };
    const both = Promise.all([open('made'), open('never made')]);
    expect(await feed.open(CONFERENCE)).toMatchObject({ feed: { conference: CONFERENCE } });
    await db.pool.query(`insert into g1.feed_head values ('made', 1, 0) on conflict do nothing`);
    const made = await feed.open('made', performance.now());
    await until('the one that was made is found', () => answers.length === 1);
    expect(await feed.open('made')).toMatchObject({ feed: (made as { feed: object }).feed });
    expect(feed.stats().loads).toBe(2);
    await db.pool.query('update g1.projection_checkpoint set as_of = clock_timestamp()');
    await both;
    expect(answers).toEqual(['made is there', 'unknown']);
  });

  it('I9: an idle conference leaves the memory, a held one stays', async () => {
    await feed.close();
    feed = createFeed({ pool: db.pool, url: db.url, partitions: 1, logger: silent, evictAfterMs: 0 });
    const open = await feed.open(CONFERENCE);
    if (typeof open === 'string') throw new Error(open);
    await feed.checkPrimary(WAIT);
    expect(feed.stats().loaded).toBe(1);
    open.release();
    await feed.checkPrimary(WAIT);
    await feed.checkPrimary(WAIT);
    expect(feed.stats().loaded).toBe(0);
  });

  it('case R2: with another history behind its head it is loaded anew, and the epoch ends; the same one goes on', async () => {
    const replica = await opened();
    const before = replica.epoch;
    await commit(1, 7, [['b', '{"n":2}']]);
    expect(await replica.reached(7, WAIT)).toBe(true);
    expect([replica.epoch, replica.proof]).toEqual([before, (7_000).toString(16)]);
    const advance = nextAdvance(replica);
    // As if restored to 1, and then other commits, past the head.
    await db.pool.query(`begin; delete from g1.feed_history where head = 7; delete from g1.feed_document where key = 'b';
      insert into g1.feed_document values ('${CONFERENCE}', 'schedule', 'c', 6, '{"n":3}', null, null, 'm6', 0);
      insert into g1.feed_history values ('${CONFERENCE}', 6, 1), ('${CONFERENCE}', 9, 2); update g1.feed_head set head = 9, proof = 2; commit`);
    expect(await advance).toMatchObject({ reloaded: true, head: 9 });
    expect(replica.epoch).not.toBe(before);
    expect(replica.documents('schedule').map(({ key }) => key)).toEqual(['a', 'c']);
    expect(feed.stats().restores).toBe(1);
    const { rows } = await db.pool.query('select seen_by from restore_event order by id desc limit 1');
    expect(rows).toEqual([{ seen_by: ['history'] }]);
  });

  it('[F8] a cursor of another history gets a snapshot, without the database; one from before all that is kept is not judged', async () => {
    await db.pool.query(`delete from g1.feed_history; insert into g1.feed_history values ('${CONFERENCE}', 4, 40)`);
    await db.pool.query(`update g1.feed_head set head = 4, proof = 40`);
    await commit(1, 9, [['b', '{"n":2}']]);
    const replica = await opened();
    const { epoch } = replica;
    const { statements, polls } = feed.stats();
    const kinds = (
      [
        [9, (9_000).toString(16)],
        [9, 'another'],
        [4, (40).toString(16)],
        [4, 'another'],
        [6, 'another'],
        [3, 'another'],
        [3, undefined],
      ] as const
    ).map(([to, proof]) => replica.resume('schedule', [epoch, to, proof]).kind);
    expect(kinds).toEqual(['current', 'parted', 'changes', 'parted', 'parted', 'changes', 'changes']);
    expect(feed.stats().statements - statements).toBe(feed.stats().polls - polls);
  });

  it.each([
    ['a change was never read', `update g1.feed_document set version = 1, mark = 'other' where key = 'a'`],
    ['a document was taken in that is not there', `delete from g1.feed_document where key = 'b'`],
    [
      'one is missing',
      `insert into g1.feed_document values ('${CONFERENCE}', 'updates', 'z', 2, '{}', null, null, 'm', 0)`,
    ],
    ['one is living that is gone', `update g1.feed_document set body = null where key = 'b'`],
  ])('a replica that is not what the database has is read again, and all who follow it: %s', async (_, tamper) => {
    await feed.close();
    feed = createFeed({ pool: db.pool, url: db.url, partitions: 1, logger: silent, auditEveryMs: 50 });
    const replica = await opened();
    await commit(1, 5, [['b', '{"n":2}']]);
    expect(await replica.reached(5, WAIT)).toBe(true);
    const sums = () => [replica.sum('schedule'), replica.sum('updates')];
    const before = sums();
    const advance = nextAdvance(replica);
    await db.pool.query(tamper);
    expect(await advance).toMatchObject({ reloaded: true, head: 5 });
    expect(feed.stats().wrong).toBe(1);
    expect(sums()).not.toEqual(before);
    // It is right now, and found so.
    for (let turn = 0; turn < 5; turn++) await feed.checkPrimary(WAIT);
    expect(feed.stats().wrong).toBe(1);
  });

  it('a replica is not taken for wrong while changes, tombstones and several conferences come and go', async () => {
    await feed.close();
    feed = createFeed({ pool: db.pool, url: db.url, partitions: 1, logger: silent, auditEveryMs: 0 });
    const replica = await opened();
    for (let head = 2; head < 60; head++)
      await commit(1, head, [
        [`k${head % 7}`, head % 3 ? `{"n":${head}}` : null],
        ['a', `{"n":${head}}`],
      ]);
    expect(await replica.reached(59, WAIT)).toBe(true);
    expect(feed.stats()).toMatchObject({ wrong: 0, reloads: 0 });
  });
});
