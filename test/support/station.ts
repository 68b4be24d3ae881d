/** A projector's surroundings with one small projection, and connections that die on demand: for specs of the engine on a real Postgres. */
import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { createJournal, createMemoryKeys, createMemoryLog, type EventCatalog, type LogRecord } from '#libs/event-log';
import { migrate } from '#libs/postgres';
import {
  createMemoryStore,
  foldBatch,
  type Generation,
  type ProjectionSet,
  projectorPool,
  type RowSource,
  type RowTable,
} from '#libs/projector';
import { generationMigrations } from '../../migrations/index.js';
import type { TestDatabase } from './test-database.js';

const counter: RowTable = {
  name: 'counter',
  key: ['id'],
  columns: [
    { property: 'id', column: 'id', type: 'text', personal: false },
    { property: 'total', column: 'total', type: 'integer', personal: false },
  ],
};
export const set: ProjectionSet = {
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
const anything = { version: 1, personal: [], check: () => undefined };
export const catalog: EventCatalog = new Map([
  ['thing-counted', anything],
  ['subject-erased', anything],
  ['event-skipped', anything],
]);

/** A log, a generation of its own, and connections into its schema. */
export async function station(database: TestDatabase, partitions = 1) {
  const log = createMemoryLog({ partitions });
  const journal = createJournal({ log, catalog, keys: createMemoryKeys() });
  const logIdentity = await log.identity();
  const schema = `t${randomUUID().slice(0, 8)}`;
  const { rows } = await database.pool.query<{ id: number }>(
    `insert into generation (projection_version, log_identity, schema_name, state) values ($1, $2, $3, 'building') returning id`,
    [set.version, logIdentity, schema],
  );
  const generation: Generation = { id: rows[0]?.id ?? 0, schema, version: set.version, logIdentity };
  await migrate({ url: database.url, schema, migrations: generationMigrations });
  const pool = projectorPool({ url: database.url, applicationName: 'crash test', schema });
  await pool.query('create table counter (conference text, id text, total int, primary key (conference, id))');
  const count = (ids: readonly string[], by = 1) =>
    journal.append({
      conference: 'c1',
      commandId: randomUUID(),
      source: 'test',
      actor: 'somebody',
      actorRole: 'organizer',
      events: ids.map((id) => ({ type: 'thing-counted', subject: id, stream: id, data: { id, by } })),
    });
  /** One command of these counts, each with its own number, in a stream of its own unless one is named. */
  const countEach = (things: readonly { readonly id: string; readonly by?: number; readonly stream?: string }[]) =>
    journal.append({
      conference: 'c1',
      commandId: randomUUID(),
      source: 'test',
      actor: 'somebody',
      actorRole: 'organizer',
      events: things.map(({ id, by = 1, stream = id }) => ({
        type: 'thing-counted',
        subject: stream,
        stream,
        data: { id, by },
      })),
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
      proofs: [...store.proofs.values()].map(String),
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
    const heads = await all<{ proof: string }>('select proof from feed_head');
    return {
      counters: counters.map(({ id, total }) => `${id}=${total}`).sort(),
      documents: documents.map(({ name, version, body }) => `${name} ${version} ${JSON.stringify(body)}`).sort(),
      audited: audit.map(({ offset }) => Number(offset)),
      next: checkpoint[0]?.next_offset,
      proofs: heads.map(({ proof }) => proof),
    };
  };
  return { log, journal, generation, pool, count, countEach, planOf, oracle, stored };
}

/** Connections of which one is killed by the server after the k-th statement of a transaction, once per arming. */
export function killable(database: TestDatabase, pool: pg.Pool) {
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
