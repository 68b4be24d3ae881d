/** Row tables ⇄ Postgres: statements over `unnest` arrays, one per table, and the mapping of values both ways. */
import { quoteIdentifier, type Statement } from '#libs/postgres';
import type { Column, Row, RowTable, Value } from './projection.js';

const CONFERENCE: Column = { property: 'conference', column: 'conference', type: 'text', personal: false };

const names = (columns: readonly Column[]): string => columns.map(({ column }) => quoteIdentifier(column)).join(', ');
const arrays = (columns: readonly Column[]): string =>
  columns.map(({ type }, index) => `$${index + 1}::${type}[]`).join(', ');
const keyColumns = (table: RowTable): readonly Column[] => [
  CONFERENCE,
  ...table.key.map((property) => columnOf(table, property)),
];

function columnOf(table: RowTable, property: string): Column {
  const column = table.columns.find((candidate) => candidate.property === property);
  if (!column) throw new Error(`${table.name} has no ${property}`);
  return column;
}

type Keyed = { readonly conference: string; readonly row: Row };

const parameters = (columns: readonly Column[], rows: readonly Keyed[]): unknown[] =>
  columns.map(({ property, type }) =>
    rows.map(({ conference, row }) =>
      property === 'conference' ? conference : toParameter(row[property] ?? null, type),
    ),
  );

const toParameter = (value: Value, type: string): unknown =>
  value !== null && type.startsWith('json') ? JSON.stringify(value) : value;

/**
 * Planned once per connection, which an insert may be. What looks rows up is planned each time: a plan made while the table was
 * empty would read all of it for ever.
 */
export function upsert(table: RowTable, rows: readonly Keyed[]): Statement {
  const columns = [CONFERENCE, ...table.columns];
  const keys = keyColumns(table);
  const rest = table.columns.filter(({ property }) => !table.key.includes(property));
  const set = rest.map(({ column }) => `${quoteIdentifier(column)} = excluded.${quoteIdentifier(column)}`).join(', ');
  return {
    name: `put ${table.name}`,
    text: `insert into ${quoteIdentifier(table.name)} (${names(columns)}) select * from unnest(${arrays(columns)})
      on conflict (${names(keys)}) do ${set ? `update set ${set}` : 'nothing'}`,
    values: parameters(columns, rows),
  };
}

export function remove(table: RowTable, keys: readonly Keyed[]): Statement {
  const columns = keyColumns(table);
  const same = columns.map(({ column }) => `t.${quoteIdentifier(column)} = k.${quoteIdentifier(column)}`).join(' and ');
  return {
    text: `delete from ${quoteIdentifier(table.name)} t using unnest(${arrays(columns)}) as k(${names(columns)}) where ${same}`,
    values: parameters(columns, keys),
  };
}

/** Rows whose given properties equal one of the given combinations. */
export function selectBy(table: RowTable, properties: readonly string[], wanted: readonly Keyed[]): Statement {
  const columns = [CONFERENCE, ...properties.map((property) => columnOf(table, property))];
  const same = columns.map(({ column }) => `t.${quoteIdentifier(column)} = k.${quoteIdentifier(column)}`).join(' and ');
  const all = [CONFERENCE, ...table.columns].map(({ column }) => `t.${quoteIdentifier(column)}`).join(', ');
  return {
    text: `select ${all} from (select distinct * from unnest(${arrays(columns)}) as u(${names(columns)})) k join ${quoteIdentifier(table.name)} t on ${same}`,
    values: parameters(columns, wanted),
  };
}

/** @throws RangeError for a bigint beyond 2^53 */
export function fromDatabase(
  table: RowTable,
  raw: Readonly<Record<string, unknown>>,
): { readonly conference: string; readonly row: Row } {
  const row: Record<string, Value> = {};
  for (const { property, column, type } of table.columns) row[property] = fromValue(raw[column], type);
  return { conference: String(raw.conference), row };
}

function fromValue(value: unknown, type: string): Value {
  if (value instanceof Date) return value.toISOString();
  if (type !== 'bigint' || value === null) return (value ?? null) as Value;
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new RangeError('a stored number is larger than 2^53');
  return number;
}
