import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { createJournal, createMemoryKeys, createMemoryLog, type EventCatalog, type LogRecord } from '#libs/event-log';
import { createPool, migrate } from '#libs/postgres';
import { generationMigrations } from '../../migrations/index.js';
import { silent as logger } from '../../test/support/silent.js';
import { createTestDatabase, type TestDatabase } from '../../test/support/test-database.js';
import { claim, Fenced, fingerprintOf, type Generation } from './checkpoint.js';
import { foldBatch } from './fold.js';
import { createMemoryStore } from './memory-store.js';
import type { RowSource } from './plan.js';
import type { ProjectionSet, RowTable } from './projection.js';
import { createProjector } from './projector.js';
import { createPostgresRowSource } from './row-source.js';
import { whenProjected } from './when-projected.js';
import { writeBatch } from './write-batch.js';

const counter: RowTable = {
  name: 'counter',
  key: ['id'],
  columns: [
    { property: 'id', column: 'id', type: 'text', personal: false },
    { property: 'total', column: 'total', type: 'integer', personal: false },
  ],
};
const set: ProjectionSet = {
  version: 'test-1',
  projections: [
    {
      name: 'counters',
      tables: [counter],
      on: {
        'thing-counted': {
          reads: (event) => [{ table: counter, where: { id: event.data.id as string } }],
          fold: (event, rows) => {
            const id = event.data.id as string;
            const total = Number(rows.get(counter, { id })?.total ?? 0) + Number(event.data.by);
            return [{ table: counter, put: { id, total } }];
          },
        },
      },
      documents: [
        {
          kind: 'counter',
          shows: [{ table: counter, refs: (row) => [{ channel: 'counters', key: `counter/${String(row.id)}` }] }],
          reads: ({ key }) => [{ table: counter, where: { id: key.slice('counter/'.length) } }],
          render: ({ key }, rows) => {
            const row = rows.get(counter, { id: key.slice('counter/'.length) });
            return row ? { total: Number(row.total) } : null;
          },
        },
      ],
    },
  ],
  audited: new Set(['thing-counted']),
  erasure: 'subject-erased',
  skip: 'event-skipped',
  heldChannels: () => [],
};
const catalog: EventCatalog = new Map([['thing-counted', { version: 1, personal: [], check: () => undefined }]]);

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

/** A log, a generation of its own, and connections into its schema. */
async function station() {
  const log = createMemoryLog({ partitions: 1 });
  const journal = createJournal({ log, catalog, keys: createMemoryKeys() });
  const logIdentity = await log.identity();
  const schema = `t${randomUUID().slice(0, 8)}`;
  const { rows } = await database.pool.query<{ id: number }>(
    `insert into generation (projection_version, log_identity, schema_name, state) values ($1, $2, $3, 'building') returning id`,
    [set.version, logIdentity, schema],
  );
  const generation: Generation = { id: rows[0]?.id ?? 0, schema, version: set.version, logIdentity };
  await migrate({ url: database.url, schema, migrations: generationMigrations });
  const pool = createPool({ url: database.url, applicationName: 'crash test', schema });
  await pool.query('create table counter (conference text, id text, total int, primary key (conference, id))');
  const count = (ids: readonly string[]) =>
    journal.append({
      conference: 'c1',
      commandId: randomUUID(),
      source: 'test',
      actor: 'somebody',
      actorRole: 'organizer',
      events: ids.map((id) => ({ type: 'thing-counted', subject: id, stream: id, data: { id, by: 1 } })),
    });
  const planOf = async (records: readonly LogRecord[], expected: bigint, source: RowSource) => {
    const reader = journal.reader();
    return foldBatch({
      set,
      catalog,
      partition: 0,
      expected,
      next: (records.at(-1)?.offset ?? expected - 1n) + 1n,
      records: await reader.decode(0, records),
      source,
      decode: (again) => reader.decode(0, again),
      isSkipped: () => false,
    });
  };
  /** What the tables must hold: every record of the log folded alone, in order, on maps. */
  const oracle = async () => {
    const store = createMemoryStore();
    for (const record of (await log.read(0, 0n, 10_000)).records) {
      store.apply(await planOf([record], record.offset, store));
    }
    return {
      counters: store
        .rows('c1', 'counter')
        .map(({ id, total }) => `${String(id)}=${String(total)}`)
        .sort(),
      documents: [...store.documents]
        .map(([key, { version, body }]) => `${key} ${version} ${JSON.stringify(body)}`)
        .sort(),
      audited: store.audit.map(({ offset }) => offset),
      next: String(store.next),
    };
  };
  const stored = async () => {
    const all = async <R extends pg.QueryResultRow>(text: string) => (await pool.query<R>(text)).rows;
    const counters = await all<{ id: string; total: number }>('select id, total from counter');
    const documents = await all<{ name: string; version: string; body: unknown }>(
      `select conference || ' ' || channel || ' ' || key as name, version, body from feed_document`,
    );
    const audit = await all<{ offset: string }>('select "offset" from audit_entry order by "offset"');
    const checkpoint = await all<{ next_offset: string }>('select next_offset from projection_checkpoint');
    return {
      counters: counters.map(({ id, total }) => `${id}=${total}`).sort(),
      documents: documents.map(({ name, version, body }) => `${name} ${version} ${JSON.stringify(body)}`).sort(),
      audited: audit.map(({ offset }) => Number(offset)),
      next: checkpoint[0]?.next_offset,
    };
  };
  return { log, journal, generation, pool, count, planOf, oracle, stored };
}

/** Connections of which one is killed by the server after the k-th statement of a transaction, once per arming. */
function killable(pool: pg.Pool) {
  let killAfter: number | undefined;
  let longest = 0;
  const bound = (target: object, property: string | symbol): unknown => {
    const value: unknown = Reflect.get(target, property);
    return typeof value === 'function' ? value.bind(target) : value;
  };
  const wrap = (client: pg.PoolClient): pg.PoolClient => {
    let statements = 0;
    const query = async (text: string, values?: unknown[]) => {
      const { rows } = killAfter === undefined ? { rows: [] } : await client.query('select pg_backend_pid() as pid');
      const result = await client.query(text, values);
      statements += 1;
      longest = Math.max(longest, statements);
      if (statements === killAfter) {
        killAfter = undefined;
        await database.pool.query('select pg_terminate_backend($1, 5000)', [rows[0]?.pid]);
      }
      return result;
    };
    return new Proxy(client, { get: (target, property) => (property === 'query' ? query : bound(target, property)) });
  };
  const connect = async () => wrap(await pool.connect());
  return {
    pool: new Proxy(pool, { get: (target, property) => (property === 'connect' ? connect : bound(target, property)) }),
    arm: (k: number) => {
      killAfter = k;
    },
    fired: () => killAfter === undefined,
    longest: () => longest,
  };
}

describe('a projector that dies', () => {
  it('I2: killed after every statement of the batch transaction in turn, it applies each event once', async () => {
    const { log, journal, generation, pool, count, oracle, stored } = await station();
    const faults = killable(pool);
    const options = { pool: faults.pool, log, journal, set, catalog, generation, owner: 'one', logger };
    const projector = createProjector(options);
    projector.start();
    const folded = async (ids: readonly string[]) => {
      const { position } = await count(ids);
      const last = { ...position, offset: position.offset + BigInt(ids.length) - 1n };
      expect(await whenProjected(database.pool, generation.schema, last, { timeoutMs: 10_000 })).toBe(true);
    };
    await folded(['a', 'b']);
    const statements = faults.longest();
    expect(statements).toBeGreaterThan(5);
    for (let k = 1; k <= statements; k++) {
      faults.arm(k);
      await folded(['a', 'b', `only-${k}`]);
      expect(faults.fired()).toBe(true);
      expect(await stored()).toEqual(await oracle());
    }
    await projector.stop();
    await pool.end();
  });

  it('I1: a zombie that writes after another has claimed is fenced and changes nothing', async () => {
    const { log, generation, pool, count, planOf, oracle, stored } = await station();
    await count(['a', 'b']);
    const { records } = await log.read(0, 0n, 10);
    const source = createPostgresRowSource(pool);
    const zombie = await claim(pool, 0, 'zombie');
    expect(await claim(pool, 0, 'heir')).toBeNull();
    const late = await planOf(records, 0n, source);
    await pool.query(`update projection_checkpoint set lease_until = '-infinity'`);
    const heir = await claim(pool, 0, 'heir');
    if (!zombie || !heir) throw new Error('a claim was declined');
    const last = records.at(-1);
    const fingerprint = last ? fingerprintOf(last) : null;
    await expect(
      writeBatch({ pool, generation, claimed: zombie, plan: late, fingerprint, startedAt: Date.now() }),
    ).rejects.toThrow(Fenced);
    expect((await stored()).counters).toEqual([]);
    await writeBatch({
      pool,
      generation,
      claimed: heir,
      plan: await planOf(records, 0n, source),
      fingerprint,
      startedAt: Date.now(),
    });
    await expect(
      writeBatch({ pool, generation, claimed: zombie, plan: late, fingerprint, startedAt: Date.now() }),
    ).rejects.toThrow(Fenced);
    expect(await stored()).toEqual(await oracle());
    await pool.end();
  });

  it('I1: a zombie that commits just before the claim is not repeated: its heir begins after it', async () => {
    const { log, generation, pool, count, planOf } = await station();
    await count(['a']);
    const { records } = await log.read(0, 0n, 10);
    const zombie = await claim(pool, 0, 'zombie');
    if (!zombie) throw new Error('the claim was declined');
    const plan = await planOf(records, 0n, createPostgresRowSource(pool));
    await writeBatch({ pool, generation, claimed: zombie, plan, fingerprint: null, startedAt: Date.now() });
    await pool.query(`update projection_checkpoint set lease_until = '-infinity'`);
    expect((await claim(pool, 0, 'heir'))?.next).toBe(1n);
    await pool.end();
  });

  it('I1: nothing is written to a generation that was retired', async () => {
    const { log, generation, pool, count, planOf, stored } = await station();
    await count(['a']);
    const { records } = await log.read(0, 0n, 10);
    const claimed = await claim(pool, 0, 'one');
    if (!claimed) throw new Error('the claim was declined');
    await pool.query(`update public.generation set state = 'retired' where id = $1`, [generation.id]);
    const plan = await planOf(records, 0n, createPostgresRowSource(pool));
    await expect(
      writeBatch({ pool, generation, claimed, plan, fingerprint: null, startedAt: Date.now() }),
    ).rejects.toThrow(Fenced);
    expect((await stored()).counters).toEqual([]);
    await pool.end();
  });
});
