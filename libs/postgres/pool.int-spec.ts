import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../test/support/test-database.js';
import { createPool, inTransaction, inTwoTrips, isDataError, isTransient, migrate } from './index.js';

class MakeNotes1700000000001 {
  async up(runner: { query(sql: string): Promise<unknown> }) {
    await runner.query('create table notes (id bigint primary key, text text not null)');
  }
  async down(runner: { query(sql: string): Promise<unknown> }) {
    await runner.query('drop table notes');
  }
}

describe('pool and migrations', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await createTestDatabase();
  });
  afterAll(() => db.drop());

  it('processes that migrate at the same time take turns; each schema has its own tables', async () => {
    const run = (schema?: string) =>
      migrate({ url: db.url, migrations: [MakeNotes1700000000001], ...(schema ? { schema } : {}) });
    const ran = await Promise.all([run(), run(), run('g1'), run('g1')]);
    expect(ran.flat()).toHaveLength(2);
    const { rows } = await db.pool.query(
      `select schemaname from pg_tables where tablename = 'notes' order by schemaname`,
    );
    expect(rows).toEqual([{ schemaname: 'g1' }, { schemaname: 'public' }]);
  });

  it('bigint arrives as a string, whole', async () => {
    const { rows } = await db.pool.query('select 9007199254740993::bigint as n');
    expect(rows).toEqual([{ n: '9007199254740993' }]);
  });

  it('a transaction stays whole or not at all, also when its work swallows an error', async () => {
    const insert = inTransaction(db.pool, async (client) => {
      await client.query(`insert into notes values (1, 'a')`);
      await client.query(`insert into notes values (1, 'b')`).catch(() => undefined);
    });
    await expect(insert).rejects.toThrow('rolled back');
    const { rowCount } = await db.pool.query('select 1 from notes');
    expect(rowCount).toBe(0);
  });

  it('I2: a transaction in two trips is whole or not at all: its guard says no, a statement fails; then the connection serves again', async () => {
    const pool = createPool({ url: db.url, applicationName: 'two trips', max: 1, pipeline: true });
    await pool.query(`insert into notes values (10, 'guard')`);
    const put = (id: number | null, text: string) => ({
      name: 'put',
      text: 'insert into notes values ($1, $2)',
      values: [id, text],
    });
    const trip = (statements: ReturnType<typeof put>[], may = true) =>
      inTwoTrips(pool, {
        guard: `update notes set text = text || '!' where id = 10`,
        judge: (rowCount) => {
          if (rowCount !== 1 || !may) throw new Error('not mine');
        },
        statements,
      });
    await expect(trip([put(11, 'a')], false)).rejects.toThrow('not mine');
    await expect(trip([put(11, 'a'), put(null, 'b'), put(12, 'c')])).rejects.toThrow('null value');
    await trip([put(11, 'a'), put(12, 'c')]);
    const { rows } = await pool.query(`select text from notes where id >= 10 order by id`);
    expect(rows.map(({ text }) => text)).toEqual(['guard!', 'a', 'c']);
    await pool.query('delete from notes');
    await pool.end();
  });

  it('a connection killed by the server is transient and the pool goes on; refused data is not', async () => {
    const killed = inTransaction(db.pool, async (client) => {
      const { rows } = await client.query('select pg_backend_pid() as pid');
      await db.pool.query('select pg_terminate_backend($1)', [rows[0].pid]);
      await client.query('select 1');
    });
    const error = await killed.catch((reason: unknown) => reason);
    expect(isTransient(error)).toBe(true);
    const refused = await db.pool.query(`insert into notes values (2, null)`).catch((reason: unknown) => reason);
    expect([isDataError(refused), isTransient(refused)]).toEqual([true, false]);
  });

  it('an idle connection that breaks never ends the process', async () => {
    const pool = createPool({ url: db.url, applicationName: 'to be killed', max: 1 });
    const { rows } = await pool.query('select pg_backend_pid() as pid');
    const broke = new Promise((resolve) => pool.once('remove', resolve));
    await db.pool.query('select pg_terminate_backend($1)', [rows[0].pid]);
    await broke;
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    await pool.end();
  });
});
