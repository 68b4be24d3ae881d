import { getMetadataArgsStorage } from 'typeorm';
import type { Column, RowTable, Value } from './projection.js';

/** In a column's `comment` option: it holds what somebody wrote or is called. */
export const PERSONAL = 'personal';

/** Postgres names of the column types our entities use; `unnest` needs them spelled out. */
const TYPES: Readonly<Record<string, string>> = {
  text: 'text',
  int: 'integer',
  integer: 'integer',
  bigint: 'bigint',
  'double precision': 'double precision',
  boolean: 'boolean',
  jsonb: 'jsonb',
  uuid: 'uuid',
  timestamptz: 'timestamptz',
};

/** A row as projections see it: the entity without its conference. */
export type RowOf<E> = { readonly [P in Exclude<keyof E, 'conference'>]: Extract<E[P], Value> };

/**
 * The row table of a TypeORM entity, from its decorators. Its first primary column must be `conference`.
 * @throws Error for an entity the projector cannot write: a mistake of the programmer, met at start
 */
export function tableOf<E extends { readonly conference: string }>(entity: new () => E): RowTable<RowOf<E>> {
  const storage = getMetadataArgsStorage();
  const name = storage.tables.find(({ target }) => target === entity)?.name;
  if (!name) throw new Error(`${entity.name} is not an entity with a table name`);
  const all = storage.columns.filter(({ target }) => target === entity);
  const [first] = all.filter(({ options }) => options.primary);
  if (first?.propertyName !== 'conference') throw new Error(`${name}: its first primary column is not conference`);
  const own = all.filter(({ propertyName }) => propertyName !== 'conference');
  const columns = own.map(({ propertyName, options }): Column => {
    const type = TYPES[String(options.type)];
    if (!type) throw new Error(`${name}.${propertyName}: type ${String(options.type)} is not supported`);
    return {
      property: propertyName,
      column: options.name ?? propertyName,
      type,
      personal: options.comment === PERSONAL,
    };
  });
  const key = own
    .filter(({ options }) => options.primary)
    .map(({ propertyName }) => propertyName as keyof RowOf<E> & string);
  return { name, key, columns };
}
