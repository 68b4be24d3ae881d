/** One plan, one transaction (I2): the compare-and-swap first, then one statement per table. */
import type pg from 'pg';
import { inTransaction, quoteIdentifier } from '#libs/postgres';
import { advance, type Fingerprint, type Generation, type Ownership } from './checkpoint.js';
import type { BatchPlan, RowWrite } from './plan.js';
import type { Value } from './projection.js';
import { toSql } from './row-source.js';

/** Of the log's own records in `dead_letter`; an intake writes under its own topic. */
export const LOG_TOPIC = 'conference.events';

export interface BatchWrite {
  readonly generation: Generation;
  readonly ownership: Ownership;
  readonly plan: BatchPlan;
  /** Of the last record below `plan.next`; null if there was none. */
  readonly fingerprint: Fingerprint | null;
  readonly asOf: string | null;
}

/** @throws Fenced, GenerationRetired: nothing was written. Errors of the connection during commit leave the outcome unknown. */
export async function writeBatch(pool: pg.Pool, { generation, ownership, plan, fingerprint, asOf }: BatchWrite): Promise<void> {
  await inTransaction(pool, async (client) => {
    const { expected, next, missingKeys } = plan;
    await advance(client, generation, ownership, { expected, next, fingerprint, missingKeys, asOf });
    for (const statement of statementsOf(plan, generation.schema)) await client.query(statement.text, statement.values);
  });
}

interface Statement {
  readonly text: string;
  readonly values: unknown[];
}

interface Unnest {
  readonly into: string;
  /** Column → Postgres type. */
  readonly columns: readonly (readonly [string, string])[];
  readonly rows: readonly (readonly unknown[])[];
}

function statementsOf(plan: BatchPlan, schema: string): Statement[] {
  return [...rowStatements(plan.rows, schema), ...feedStatements(plan, schema), ...permanentStatements(plan)];
}

function rowStatements(writes: readonly RowWrite[], schema: string): Statement[] {
  const byTable = new Map<string, RowWrite[]>();
  for (const write of writes) {
    const known = byTable.get(write.table.name);
    if (known) known.push(write);
    else byTable.set(write.table.name, [write]);
  }
  return [...byTable.values()].flatMap((ofTable) => {
    const table = ofTable[0]?.table;
    if (!table) return [];
    // One order of keys for all writers: two generations' owners never wait for each other in a circle.
    const sorted = [...ofTable].sort((a, b) => compare(keyText(a), keyText(b)));
    const into = `${quoteIdentifier(schema)}.${quoteIdentifier(table.name)}`;
    const isKey = (property: string) => table.key.includes(property);
    const keys = table.columns.filter(({ property }) => isKey(property));
    const pick = (columns: typeof table.columns, conference: string, row: { readonly [property: string]: Value }) => [
      conference,
      ...columns.map(({ property, type }) => toSql(row[property] ?? null, type)),
    ];
    const named = (columns: typeof table.columns) => [
      ['conference', 'text'] as const,
      ...columns.map(({ column, type }) => [column, type] as const),
    ];
    const puts = sorted.flatMap(({ conference, row }) => (row ? [pick(table.columns, conference, row)] : []));
    const removes = sorted.flatMap(({ conference, key, row }) => (row ? [] : [pick(keys, conference, key)]));
    return [
      ...remove({ into, columns: named(keys), rows: removes }),
      ...insert({ into, columns: named(table.columns), rows: puts }, upsert(named(keys), named(table.columns))),
    ];
  });
}

function feedStatements(plan: BatchPlan, schema: string): Statement[] {
  const name = (table: string) => `${quoteIdentifier(schema)}.${table}`;
  const documents = [...plan.documents].sort((a, b) =>
    compare(`${a.conference}\n${a.channel}\n${a.key}`, `${b.conference}\n${b.channel}\n${b.key}`),
  );
  return [
    ...insert(
      {
        into: name('feed_document'),
        columns: [['conference', 'text'], ['channel', 'text'], ['key', 'text'], ['version', 'bigint'], ['body', 'jsonb'], ['traceparent', 'text']],
        rows: documents.map((one) => [one.conference, one.channel, one.key, one.version, one.body && JSON.stringify(one.body), one.traceparent]),
      },
      `on conflict (conference, channel, key) do update
         set version = excluded.version, body = excluded.body, traceparent = excluded.traceparent`,
    ),
    ...insert(
      {
        into: name('audit_entry'),
        columns: [
          ['conference', 'text'], ['offset', 'bigint'], ['at', 'timestamptz'], ['type', 'text'], ['subject', 'text'], ['actor', 'text'],
          ['actor_role', 'text'], ['reason', 'text'], ['command_id', 'uuid'], ['traceparent', 'text'], ['no_effect', 'text'],
          ['data', 'jsonb'], ['before', 'jsonb'], ['after', 'jsonb'],
        ],
        rows: plan.audit.map((one) => [
          one.conference, one.offset, one.at, one.type, one.subject, one.actor, one.actorRole, one.reason, one.commandId, one.traceparent,
          one.noEffect, JSON.stringify(one.data), JSON.stringify(one.before), JSON.stringify(one.after),
        ]),
      },
      '',
    ),
    ...insert(
      {
        into: name('feed_head'),
        columns: [['conference', 'text'], ['partition', 'int'], ['head', 'bigint']],
        rows: [...plan.heads].sort(([a], [b]) => compare(a, b)).map(([conference, head]) => [conference, plan.partition, head]),
      },
      'on conflict (conference) do update set head = excluded.head',
    ),
  ];
}

function permanentStatements({ partition, skipped, erased, deadLetters }: BatchPlan): Statement[] {
  return [
    ...insert(
      {
        into: 'public.skipped_event',
        columns: [['conference', 'text'], ['offset', 'bigint'], ['skipped_by', 'text'], ['at', 'timestamptz']],
        rows: skipped.map((one) => [one.conference, one.offset, one.by, one.at]),
      },
      'on conflict do nothing',
    ),
    // A subject who never wrote anything gets an empty key too: nobody can make one afterwards.
    ...insert(
      {
        into: 'public.subject_key',
        columns: [['conference', 'text'], ['subject', 'text'], ['erased_at', 'timestamptz']],
        rows: [...new Map(erased.map((one) => [`${one.conference}\n${one.subject}`, one])).values()].map((one) => [one.conference, one.subject, one.at]),
        extra: ['key_id', 'gen_random_uuid()'],
      },
      'on conflict (conference, subject) do update set key = null, erased_at = coalesce(subject_key.erased_at, excluded.erased_at)',
    ),
    ...insert(
      {
        into: 'public.dead_letter',
        columns: [
          ['topic', 'text'], ['partition', 'int'], ['offset', 'bigint'], ['reason', 'text'], ['key', 'text'],
          ['headers', 'jsonb'], ['value', 'bytea'], ['time', 'timestamptz'],
        ],
        rows: deadLetters.map(({ reason, record }) => [
          LOG_TOPIC, partition, record.offset, reason, record.key,
          JSON.stringify([...record.headers].map(([name, bytes]) => [name, bytes.toString('base64')])),
          record.value, new Date(record.timestamp).toISOString(),
        ]),
      },
      'on conflict do nothing',
    ),
  ];
}

function insert({ into, columns, rows, extra }: Unnest & { readonly extra?: readonly [string, string] }, conflict: string): Statement[] {
  if (rows.length === 0) return [];
  const names = columns.map(([column]) => quoteIdentifier(column)).join(', ');
  return [
    {
      text: `insert into ${into} (${names}${extra ? `, ${extra[0]}` : ''})
        select ${names}${extra ? `, ${extra[1]}` : ''} from ${unnest(columns)} ${conflict}`,
      values: transpose(columns, rows),
    },
  ];
}

function remove({ into, columns, rows }: Unnest): Statement[] {
  if (rows.length === 0) return [];
  const same = columns.map(([column]) => `t.${quoteIdentifier(column)} = w.${quoteIdentifier(column)}`).join(' and ');
  return [{ text: `delete from ${into} t using ${unnest(columns)} where ${same}`, values: transpose(columns, rows) }];
}

const unnest = (columns: Unnest['columns']): string =>
  `unnest(${columns.map(([, type], index) => `$${index + 1}::${type}[]`).join(', ')})
    as w(${columns.map(([column]) => quoteIdentifier(column)).join(', ')})`;

const transpose = (columns: Unnest['columns'], rows: Unnest['rows']): unknown[] =>
  columns.map((_, index) => rows.map((row) => row[index] ?? null));

function upsert(keys: Unnest['columns'], columns: Unnest['columns']): string {
  const keyNames = new Set(keys.map(([column]) => column));
  const rest = columns.filter(([column]) => !keyNames.has(column)).map(([column]) => quoteIdentifier(column));
  const target = [...keyNames].map(quoteIdentifier).join(', ');
  if (rest.length === 0) return `on conflict (${target}) do nothing`;
  return `on conflict (${target}) do update set ${rest.map((column) => `${column} = excluded.${column}`).join(', ')}`;
}

const keyText = ({ conference, key }: RowWrite): string => JSON.stringify([conference, ...Object.values(key)]);
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
