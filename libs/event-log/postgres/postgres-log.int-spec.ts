import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { silent } from '../../../test/support/silent.js';
import { createTestDatabase, type TestDatabase } from '../../../test/support/test-database.js';
import { describeEventLogContract } from '../contract.js';
import { type EventLog, type LogRecord, LogUnavailable } from '../port.js';
import { createPostgresLog, MAX_FETCH_BYTES, renewIncarnation } from './postgres-log.js';

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

  it('records from before headers were packed are read as they were written', async () => {
    const { partition, offset } = await log.append('old', [
      { headers: new Map([['ce_id', Buffer.from('1')]]), value: null },
    ]);
    await database.pool.query(
      `update event_log set headers = null, header_names = '{b,a}', header_values = '{"x","\\\\x00ff"}' where partition = $1 and "offset" = $2`,
      [partition, offset.toString()],
    );
    const [record] = (await log.read(partition, offset, 1)).records;
    expect([...(record?.headers ?? [])]).toEqual([
      ['b', Buffer.from('x')],
      ['a', Buffer.from([0, 255])],
    ]);
  });

  it('case S17: hands its reader what it appends as a reading would give it, and reads nothing', async () => {
    const statements: string[] = [];
    const query = ((...given: Parameters<typeof database.pool.query>) => {
      statements.push(String((given[0] as { readonly text?: string }).text ?? given[0]));
      return database.pool.query(...given);
    }) as typeof database.pool.query;
    const counted = await createPostgresLog({
      pool: { query, connect: database.pool.connect.bind(database.pool) } as typeof database.pool,
      partitions: 4,
      logger: silent,
    });
    const handed: LogRecord[] = [];
    const first = await counted.append('c', [{ headers: new Map(), value: Buffer.from('before') }]);
    const { promise, resolve } = Promise.withResolvers<void>();
    const caughtUp = Promise.withResolvers<void>();
    const subscription = counted.subscribe(
      {
        claim: async (partition) => (partition === first.partition ? first.offset : null),
        async consume({ records, nextOffset }) {
          handed.push(...records);
          caughtUp.resolve();
          if (handed.length >= 21) resolve();
          return nextOffset;
        },
        holds: () => true,
        lost: () => undefined,
      },
      'one',
    );
    await caughtUp.promise;
    const readings = () => statements.filter((text) => text.includes('from event_log')).length;
    const before = readings();
    for (let number = 0; number < 20; number++)
      await counted.append('c', [
        {
          headers: new Map([['ce_id', Buffer.from(String(number))]]),
          value: number % 2 === 0 ? Buffer.from(`v${number}`) : null,
          ...(number === 7 ? { timestamp: 1_234_567_890_123 } : {}),
        },
      ]);
    await promise;
    expect(readings()).toBe(before);
    await subscription.close();
    expect(handed).toEqual((await log.read(first.partition, first.offset, 100)).records);
  });

  it('case S21: a reading is bounded in bytes, and holds at least one record', async () => {
    const record = (bytes: number) => ({ headers: new Map(), value: Buffer.alloc(bytes) });
    const { partition, offset } = await log.append('large', [record(MAX_FETCH_BYTES + 1)]);
    for (let number = 0; number < 3; number++) await log.append('large', [record(MAX_FETCH_BYTES / 2 - 1_000)]);
    expect((await log.read(partition, offset, 100)).records).toHaveLength(1);
    const rest = await log.read(partition, offset + 1n, 100);
    expect(rest.records).toHaveLength(2);
    expect(rest).toMatchObject({ nextOffset: offset + 3n, highWatermark: offset + 4n });
    expect((await log.read(partition, rest.nextOffset, 100)).records).toHaveLength(1);
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
