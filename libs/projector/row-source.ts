import type pg from 'pg';
import { onConnection, type Queryable } from '#libs/postgres';
import type { ConferenceSelect, LoadedRows, RowSource } from './plan.js';
import type { Row } from './projection.js';
import { fromDatabase, selectBy } from './sql.js';

/** Rows of one generation: the pool's search_path names its schema. Needs a pool with `pipeline`. */
export function createPostgresRowSource(pool: pg.Pool): RowSource {
  return {
    async load(selects) {
      const groups = new Map<string, ConferenceSelect[]>();
      for (const wanted of selects) {
        const shape = `${wanted.select.table.name} ${Object.keys(wanted.select.where).sort().join(',')}`;
        const group = groups.get(shape);
        if (group) group.push(wanted);
        else groups.set(shape, [wanted]);
      }
      // One connection for all of them: several would take the processor from each other, and from the batch that is being written.
      return onConnection(pool, async (client, giveUp) => {
        const loading = Promise.all([...groups.values()].map((group) => loadGroup(client, group)));
        loading.catch(giveUp); // Others may still be under way on it.
        return (await loading).flat();
      });
    },
  };
}

async function loadGroup(db: Queryable, group: readonly ConferenceSelect[]): Promise<readonly LoadedRows[]> {
  const table = group[0]?.select.table;
  if (!table) return [];
  const properties = Object.keys(group[0]?.select.where ?? {}).sort();
  const { text, values } = selectBy(
    table,
    properties,
    group.map(({ conference, select }) => ({ conference, row: select.where as Row })),
  );
  const { rows } = await db.query<Record<string, unknown>>(text, [...values]);
  const byConference = new Map<string, Row[]>();
  for (const raw of rows) {
    const { conference, row } = fromDatabase(table, raw);
    const known = byConference.get(conference);
    if (known) known.push(row);
    else byConference.set(conference, [row]);
  }
  return [...byConference].map(([conference, found]) => ({ conference, table, rows: found }));
}
