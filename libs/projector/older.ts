/** Documents that left the window of their channel, made again from their rows: for reading back, page by page. */
import { type Queryable, quoteIdentifier } from '#libs/postgres';
import type { DocumentRef, DocumentView, Row, Rows, RowTable } from './projection.js';
import { fromDatabase } from './sql.js';

export interface OlderOptions {
  readonly db: Queryable;
  /** Of the live generation. */
  readonly schema: string;
  readonly conference: string;
  /** Those of its kind; the one that shows in the channel is used. */
  readonly views: readonly DocumentView[];
  readonly table: RowTable;
  /** By property of the row. */
  readonly where: Readonly<Record<string, string>>;
  readonly channel: string;
  /** Property that orders the rows: a number. */
  readonly order: string;
  /** Below this; null: from the newest. */
  readonly before: number | null;
  readonly limit: number;
}

export interface OlderPage {
  /** Newest first. Rows that are not shown (any more) have none. */
  readonly documents: readonly { readonly key: string; readonly body: object }[];
  /** Ask for what is before it; null: there is nothing older. */
  readonly before: number | null;
}

export async function readOlder(options: OlderOptions): Promise<OlderPage> {
  const { db, schema, conference, table, where, order, before, limit } = options;
  const names = Object.keys(where);
  const columnOf = (property: string): string => {
    const found = table.columns.find((column) => column.property === property);
    if (!found) throw new Error(`${table.name} has no ${property}`);
    return quoteIdentifier(found.column);
  };
  const conditions = names.map((name, index) => `and ${columnOf(name)} = $${index + 4}`).join(' ');
  const { rows } = await db.query<Record<string, unknown>>(
    `select * from ${quoteIdentifier(schema)}.${quoteIdentifier(table.name)}
     where conference = $1 and ($2::bigint is null or ${columnOf(order)} < $2) ${conditions}
     order by ${columnOf(order)} desc limit $3`,
    [conference, before, limit, ...names.map((name) => where[name])],
  );
  const found = rows.map((raw) => fromDatabase(table, raw).row);
  const last = found.at(-1);
  return {
    documents: found.flatMap((row) => documentsOf(options, row)),
    before: last && found.length === limit ? Number(last[order]) : null,
  };
}

function documentsOf({ views, table, channel }: OlderOptions, row: Row) {
  return views.flatMap(({ shows, render }) =>
    shows
      .filter((shown) => shown.table.name === table.name)
      .flatMap(({ refs }) => refs(row))
      .filter((ref: DocumentRef) => ref.channel === channel)
      .flatMap((ref) => {
        const body = render(ref, only(row));
        return body ? [{ key: ref.key, body }] : [];
      }),
  );
}

const only = (row: Row): Rows => ({ get: () => row as never, all: () => [row] as never });
