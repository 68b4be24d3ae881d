import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createPostgresKeys } from '#libs/event-log';
import { conferenceStation, opened } from '../support/conference-station.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const erased = (subject: string) => ({ type: 'attendee-erased', subject, stream: null, data: { subject } });
const keysOf = async (conference: string) =>
  (await database.pool.query('select subject, key, erased_at from subject_key where conference = $1', [conference]))
    .rows;

describe('the erasure of a person', () => {
  it.each([
    ['one batch', 10],
    ['two batches', 4],
  ])(
    'case R1: two erasures of one person in %s: the second has no effect, and its partition goes on',
    async (_, size) => {
      const { pool, append, recordsFrom, cut, committer } = await conferenceStation(database);
      const [one, other] = [`one-${size}`, `other-${size}`];
      await append(one, [opened(one)]);
      await append(one, [erased('ada')], 'olga');
      await append(one, [erased('ada')], 'otto');
      await append(one, [erased('ada')], 'olga');
      await append(other, [opened(other)]);
      const hands = await committer();
      await hands.committer.run(cut(await recordsFrom(0n), size));
      expect(hands.claimed.next).toBe(5n);
      const { rows } = await pool.query(
        `select "offset"::int, no_effect as "noEffect" from audit_entry where type = 'attendee-erased' order by "offset"`,
      );
      expect(rows).toEqual([
        { offset: 1, noEffect: null },
        { offset: 2, noEffect: 'already erased' },
        { offset: 3, noEffect: 'already erased' },
      ]);
      expect(await keysOf(one)).toEqual([{ subject: 'ada', key: null, erased_at: expect.any(Date) }]);
      await pool.end();
    },
  );

  it('case S13: erasures and new keys of the same people wait for each other in one order: no deadlock', async () => {
    const { pool, append, recordsFrom, cut, committer } = await conferenceStation(database);
    const people = Array.from({ length: 60 }, (_, index) => `person-${index}`);
    const keys = createPostgresKeys(database.pool);
    const hands = await committer();
    const deadlocks = async () =>
      Number(
        (await database.pool.query('select deadlocks from pg_stat_database where datname = current_database()')).rows[0]
          ?.deadlocks,
      );
    const before = await deadlocks();
    for (let round = 0; round < 8; round++) {
      const conference = `round-${round}`;
      await append(conference, [...people].reverse().map(erased), `otto-${round}`);
      const made = Promise.allSettled(people.map((subject) => keys.keyFor(conference, subject)));
      await hands.committer.run(cut(await recordsFrom(hands.claimed.next), 10));
      await made;
      expect((await keysOf(conference)).filter(({ key }) => key !== null)).toEqual([]);
    }
    expect(await deadlocks()).toBe(before);
    await pool.end();
  });

  it.each([
    ['the rows of its projection', ['erased_person'], null],
    ['its outcome, too', ['erased_person', 'applied_command'], undefined],
  ])('case S4, I14: refused by the database for %s, it destroys the key all the same', async (_, tables, noEffect) => {
    const { pool, append, recordsFrom, cut, committer, refuse } = await conferenceStation(database);
    const conference = `refused-${tables.length}`;
    const mend = [];
    for (const table of tables) mend.push(await refuse(table, 'subject', '%', '23514'));
    await append(conference, [erased('ada')], 'olga');
    const hands = await committer();
    await hands.committer.run(cut(await recordsFrom(0n), 10));
    expect(hands.claimed.next).toBe(1n);
    expect(await keysOf(conference)).toEqual([{ subject: 'ada', key: null, erased_at: expect.any(Date) }]);
    const { rows } = await database.pool.query(`select reason from dead_letter where key = $1`, [
      Buffer.from(conference),
    ]);
    expect(rows).toEqual([{ reason: 'the database refused it (23514)' }]);
    const outcomes = await pool.query('select because from applied_command');
    expect(outcomes.rows).toEqual(noEffect === null ? [{ because: 'could not be folded' }] : []);
    // Once mended, it can be repeated, and then it takes the rows too.
    for (const one of mend) await one();
    await append(conference, [erased('ada')], 'otto');
    await hands.committer.run(cut(await recordsFrom(1n), 10));
    expect((await pool.query('select subject from erased_person')).rows).toEqual([{ subject: 'ada' }]);
    await pool.end();
  });
});
