import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../test/support/test-database.js';
import { checkRestore, noticeRestore, restoredAt } from './index.js';

describe('checkRestore', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  const nonce = async () => (await checkRestore(database.pool)).nonce;

  it('keeps the nonce while the witnesses are the same; what was not known before, or is not known now, is no difference', async () => {
    const first = await checkRestore(database.pool);
    expect(first.seenBy).toEqual([]);
    expect(await checkRestore(database.pool, { inode: '7', born: null })).toEqual(first);
    expect(await checkRestore(database.pool, { inode: null, born: '1' })).toEqual(first);
    expect(await restoredAt(database.pool)).toBeNull();
  });

  it('case R2: a data folder that was copied back has other files, thus another nonce', async () => {
    const before = await checkRestore(database.pool, { inode: '7', born: '1' });
    const after = await checkRestore(database.pool, { inode: '8', born: '1' });
    expect(after.seenBy).toEqual(['inode']);
    expect(after.nonce).not.toBe(before.nonce);
    expect(await checkRestore(database.pool, { inode: '8' })).toEqual({ nonce: after.nonce, seenBy: [] });
  });

  it.each(['system', 'timeline', 'database', 'logHead'])('case M1: another %s is another nonce', async (witness) => {
    const before = await nonce();
    await database.pool.query(
      `update feed_epoch set witnesses = witnesses || jsonb_build_object($1::text, 'another')`,
      [witness],
    );
    const [one, other] = await Promise.all([checkRestore(database.pool), checkRestore(database.pool)]);
    expect([...(one?.seenBy ?? []), ...(other?.seenBy ?? [])]).toEqual([witness]);
    expect(one?.nonce).toBe(other?.nonce);
    expect(one?.nonce).not.toBe(before);
  });

  it('a restore that only the contents show is noticed once, however many see it, and voids links that were not used', async () => {
    const link = `insert into one_time_link (code_hash, role, conference, actor, expires_at, used_at)
      values ($1, 'organizer', '*', 'olga', clock_timestamp() + interval '1 day', $2)`;
    await database.pool.query(link, [Buffer.from('unused'), null]);
    await database.pool.query(link, [Buffer.from('used'), new Date()]);
    const before = await nonce();
    const { rows } = await database.pool.query<{ count: string }>('select count(*) from restore_event');
    await Promise.all([1, 2, 3].map(() => noticeRestore(database.pool, before, 'history')));
    const after = await database.pool.query('select count(*) from restore_event');
    expect(Number(after.rows[0].count)).toBe(Number(rows[0]?.count) + 1);
    expect(await nonce()).not.toBe(before);
    expect(Date.now() - ((await restoredAt(database.pool)) ?? 0)).toBeLessThan(60_000);
    const links = await database.pool.query(
      'select expires_at > clock_timestamp() as open from one_time_link order by used_at nulls last',
    );
    expect(links.rows).toEqual([{ open: true }, { open: false }]);
  });
});
