import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { silent as logger } from '../../test/support/silent.js';
import { station } from '../../test/support/station.js';
import { createTestDatabase, type TestDatabase } from '../../test/support/test-database.js';
import { MAX_HISTORY, MAX_TOMBSTONES, TombstoneSweep } from './tombstone-sweep.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

describe('the sweep of tombstones', () => {
  it('case S23: drops the oldest of each channel beyond the limit, raises the floor to the newest dropped, and passes over what is locked', async () => {
    const { pool } = await station(database);
    await pool.query(
      `insert into feed_head (conference, partition, head) values ('c1', 0, 9000), ('c2', 0, 9000), ('c3', 1, 9000)`,
    );
    const dead = (conference: string, channel: string, count: number) =>
      pool.query(
        `insert into feed_document (conference, channel, key, version, body, appended_at, mark, bucket, is_tombstone)
         select $1, $2, 'k/' || v, v, null, now(), 'x', v >> 8, true from generate_series(1, $3::int) v`,
        [conference, channel, count],
      );
    await dead('c1', 'crowded', MAX_TOMBSTONES + 1_234);
    await dead('c1', 'quiet', 10);
    await dead('c2', 'crowded', MAX_TOMBSTONES);
    await dead('c3', 'elsewhere', MAX_TOMBSTONES + 5);
    await pool.query(`insert into feed_document (conference, channel, key, version, body, appended_at, mark, bucket, is_tombstone)
      values ('c1', 'crowded', 'k/alive', 1, '{}', now(), 'x', 0, false)`);
    await pool.query(
      `insert into feed_history (conference, head, proof) select 'c1', h, h from generate_series(1, $1::int) h`,
      [MAX_HISTORY + 700],
    );
    const sweep = new TombstoneSweep({ pool, logger });
    const writer = await pool.connect();
    await writer.query('begin');
    await writer.query(
      `select from feed_document where (conference, channel, key) = ('c1', 'crowded', 'k/1') for update`,
    );
    await sweep.sweep(0);
    const left = async () =>
      (
        await pool.query(
          'select conference, channel, count(*)::int, min(version)::int as oldest from feed_document where is_tombstone group by 1, 2 order by 1, 2',
        )
      ).rows;
    expect(await left()).toEqual([
      { conference: 'c1', channel: 'crowded', count: MAX_TOMBSTONES + 1, oldest: 1 },
      { conference: 'c1', channel: 'quiet', count: 10, oldest: 1 },
      { conference: 'c2', channel: 'crowded', count: MAX_TOMBSTONES, oldest: 1 },
      { conference: 'c3', channel: 'elsewhere', count: MAX_TOMBSTONES + 5, oldest: 1 },
    ]);
    await writer.query('rollback');
    writer.release();
    await sweep.sweep(0);
    expect((await left())[0]).toEqual({ conference: 'c1', channel: 'crowded', count: MAX_TOMBSTONES, oldest: 1_235 });
    const heads = await pool.query('select conference, floor::int from feed_head order by conference');
    expect(heads.rows.map(({ floor }) => floor)).toEqual([1_234, -1, -1]);
    const history = await pool.query('select count(*)::int, min(head)::int as oldest from feed_history');
    expect(history.rows).toEqual([{ count: MAX_HISTORY, oldest: 701 }]);
    expect((await pool.query(`select from feed_document where key = 'k/alive'`)).rowCount).toBe(1);
    await pool.end();
  });
});
