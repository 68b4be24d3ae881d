/** Names of rows and of looks at rows, as texts. */
import type { Row, Select } from './projection.js';

/**
 * Cheap, for it is made at every look: values of one column are of one type, and none holds the separator. A single text is its own
 * key; gluing one together for it cost a tenth of a fold.
 */
export function keyOf(row: { readonly [property: string]: unknown }, properties: readonly string[]): string {
  let key = String(row[properties[0] ?? '']);
  for (let index = 1; index < properties.length; index++) key += `\u0001${String(row[properties[index] ?? ''])}`;
  return key;
}

export const sorted = (properties: string[]): string[] => (properties.length > 1 ? properties.sort() : properties);

export function isByKey({ table, where }: Select): boolean {
  let count = 0;
  for (const _ in where) count += 1;
  return count === table.key.length && table.key.every((property) => property in where);
}

export function idOf({ where }: Select): string {
  const properties = sorted(Object.keys(where));
  return `${properties.join(',')} ${keyOf(where, properties)}`;
}

export const pick = (row: Row, properties: readonly string[]): Row =>
  Object.fromEntries(properties.map((property) => [property, row[property] ?? null]));
