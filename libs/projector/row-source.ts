import type { Queryable } from '#libs/postgres';
import type { ConferenceSelect, LoadedRows, RowSource } from './plan.js';
import type { Row } from './projection.js';
import { fromDatabase, selectBy } from './sql.js';

/** Rows of one generation: the pool's search_path names its schema. */
export function createPostgresRowSource(pool: Queryable): RowSource {
  return {
    async load(selects) {
      const groups = new Map<string, ConferenceSelect[]>();
      for (const wanted of selects) {
        const shape = `${wanted.select.table.name} ${Object.keys(wanted.select.where).sort().join(',')}`;
        const group = groups.get(shape);
        if (group) group.push(wanted);
        else groups.set(shape, [wanted]);
      }
      const loaded = await Promise.all([...groups.values()].map((group) => loadGroup(pool, group)));
      return loaded.flat();
    },
  };
}

async function loadGroup(pool: Queryable, group: readonly ConferenceSelect[]): Promise<readonly LoadedRows[]> {
  const table = group[0]?.select.table;
  if (!table) return [];
  const properties = Object.keys(group[0]?.select.where ?? {}).sort();
  const { text, values } = selectBy(
    table,
    properties,
    group.map(({ conference, select }) => ({ conference, row: select.where as Row })),
  );
  const { rows } = await pool.query<Record<string, unknown>>(text, [...values]);
  const byConference = new Map<string, Row[]>();
  for (const raw of rows) {
    const { conference, row } = fromDatabase(table, raw);
    const known = byConference.get(conference);
    if (known) known.push(row);
    else byConference.set(conference, [row]);
  }
  return [...byConference].map(([conference, found]) => ({ conference, table, rows: found }));
}
