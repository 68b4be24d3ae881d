/** Rows of the read models from Postgres: one statement per table and set of columns, whatever the number of keys. */
import { type Queryable, quoteIdentifier } from '#libs/postgres';
import type { ConferenceSelect, LoadedRows, RowSource } from './plan.js';
import type { Column, Row, RowTable, Value } from './projection.js';

export class PostgresRowSource implements RowSource {
  constructor(
    private readonly db: Queryable,
    private readonly schema: string,
  ) {}

  async load(selects: readonly ConferenceSelect[]): Promise<readonly LoadedRows[]> {
    const groups = new Map<string, ConferenceSelect[]>();
    for (const wanted of selects) {
      const { table, where } = wanted.select;
      const shape = Object.keys(where).sort().map((property) => `${property}${where[property] === null ? ' null' : ''}`);
      const name = [table.name, ...shape].join(',');
      groups.set(name, [...(groups.get(name) ?? []), wanted]);
    }
    const loaded: LoadedRows[] = [];
    for (const group of groups.values()) loaded.push(...(await this.loadGroup(group)));
    return loaded;
  }

  private async loadGroup(group: readonly ConferenceSelect[]): Promise<LoadedRows[]> {
    const first = group[0];
    if (!first) return [];
    const { table, where } = first.select;
    const columns = Object.keys(where).sort().map((property) => columnOf(table, property));
    // Equality finds no nulls, and "is not distinct from" finds no index.
    const given = columns.filter(({ property }) => where[property] !== null);
    const conditions = columns.map(({ property, column }) =>
      where[property] === null ? `t.${quoteIdentifier(column)} is null` : `t.${quoteIdentifier(column)} = w.${quoteIdentifier(column)}`,
    );
    const text = `select distinct on (${['conference', ...table.key.map((key) => columnOf(table, key).column)].map((name) => `t.${quoteIdentifier(name)}`).join(', ')})
        t.conference, ${table.columns.map(({ column }) => `t.${quoteIdentifier(column)}`).join(', ')}
      from ${quoteIdentifier(this.schema)}.${quoteIdentifier(table.name)} t
      join unnest(${['text', ...given.map(({ type }) => type)].map((type, index) => `$${index + 1}::${type}[]`).join(', ')})
        as w(${['conference', ...given.map(({ column }) => column)].map(quoteIdentifier).join(', ')})
        on ${['t.conference = w.conference', ...conditions].join(' and ')}`;
    const values = [
      group.map(({ conference }) => conference),
      ...given.map((column) => group.map(({ select }) => toSql(select.where[column.property] ?? null, column.type))),
    ];
    const { rows } = await this.db.query<Record<string, unknown>>(text, values);
    const byConference = new Map<string, Row[]>();
    for (const row of rows) {
      const conference = String(row.conference);
      byConference.set(conference, [...(byConference.get(conference) ?? []), rowOf(table, row)]);
    }
    return [...byConference].map(([conference, found]) => ({ conference, table, rows: found }));
  }
}

function columnOf(table: RowTable, property: string): Column {
  const column = table.columns.find((one) => one.property === property);
  if (!column) throw new TypeError(`${table.name} has no property ${property}`);
  return column;
}

const rowOf = (table: RowTable, row: Record<string, unknown>): Row =>
  Object.fromEntries(table.columns.map(({ property, column, type }) => [property, fromSql(row[column], type)]));

/** As an element of an array parameter. */
export const toSql = (value: Value, type: string): Value =>
  value !== null && (type === 'jsonb' || type === 'json') ? JSON.stringify(value) : value;

function fromSql(value: unknown, type: string): Value {
  if (value === null || value === undefined) return null;
  if (value instanceof Date) return value.toISOString();
  if (type === 'bigint') {
    const number = Number(value);
    if (!Number.isSafeInteger(number)) throw new RangeError('a bigint column holds more than a JavaScript number can');
    return number;
  }
  return value as Value;
}
