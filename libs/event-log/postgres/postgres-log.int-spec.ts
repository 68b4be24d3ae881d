import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { silent } from '../../../test/support/silent.js';
import { createTestDatabase, type TestDatabase } from '../../../test/support/test-database.js';
import { describeEventLogContract } from '../contract.js';
import { type EventLog, LogUnavailable } from '../port.js';
import { createPostgresLog, renewIncarnation } from './postgres-log.js';

describeEventLogContract('Postgres', async () => {
  const database = await createTestDatabase();
  const log = await createPostgresLog({ pool: database.pool, partitions: 4, logger: silent });
  return {
    log,
    async close() {
      await log.close();
      await database.drop();
    },
  };
});

describe('the embedded log', () => {
  let database: TestDatabase;
  let log: EventLog;
  beforeAll(async () => {
    database = await createTestDatabase();
    log = await createPostgresLog({ pool: database.pool, partitions: 4, logger: silent });
  });
  afterAll(async () => {
    await log.close();
    await database.drop();
  });

  it('refuses another number of partitions than it was made with', async () => {
    await expect(createPostgresLog({ pool: database.pool, partitions: 5, logger: silent })).rejects.toThrow(
      /made with 4 partitions/,
    );
  });

  it('changes its identity with a new incarnation', async () => {
    const before = await log.identity();
    await renewIncarnation(database.pool);
    expect(await log.identity()).not.toBe(before);
  });

  it('a writer that dies mid-append leaves no gap and no half command', async () => {
    const client = await database.pool.connect();
    await client.query('begin');
    await client.query('update log_head set next_offset = next_offset + 3');
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    client.on('error', () => undefined); // The connection is about to be killed on purpose.
    await database.pool.query('select pg_terminate_backend($1)', [rows[0]?.pid]);
    client.release(true);
    const at = await log.append('c', [{ headers: new Map(), value: Buffer.from('x') }]);
    expect(at.offset).toBe((await log.watermarks(at.partition)).low);
  });

  it('says LogUnavailable when the database is gone: the outcome is unknown', async () => {
    const gone = await createTestDatabase();
    const lost = await createPostgresLog({ pool: gone.pool, partitions: 1, logger: silent });
    await lost.close();
    await database.pool.query(`alter database ${new URL(gone.url).pathname.slice(1)} with allow_connections false`);
    await database.pool.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [
      new URL(gone.url).pathname.slice(1),
    ]);
    await expect(lost.append('c', [{ headers: new Map(), value: null }])).rejects.toThrow(LogUnavailable);
    await gone.drop();
  });
});
