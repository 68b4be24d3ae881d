/** I1, judged on a live database: what projectors have written is what one reader folds from the log, command by command. */
import { createJournal, createPostgresKeys, type EventLog } from '#libs/event-log';
import { createMemoryStore, liveGeneration } from '#libs/projector';
import { catalog } from '../../src/conference/catalog.js';
import { projectionSet } from '../../src/conference/projection-set.js';
import { until } from './process.js';
import type { TestDatabase } from './test-database.js';
import { foldLog } from './world.js';

interface Folded {
  readonly documents: readonly { readonly name: string; readonly version: number; readonly body: unknown }[];
  readonly sessions: number;
  readonly commands: number;
}

const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);

/** Waits until the checkpoints have reached the log's end, then answers both sides. */
export async function foldedAndExpected(
  { pool }: TestDatabase,
  log: EventLog,
  withinMs = 15_000,
): Promise<{ readonly folded: Folded; readonly expected: Folded }> {
  const partitions = Array.from({ length: log.partitions }, (_, partition) => partition);
  const live = await liveGeneration(pool);
  const query = async (sql: string) => (await pool.query(sql.replaceAll('$g', live?.schema ?? ''))).rows;
  const count = async (table: string) => Number((await query(`select count(*) from $g.${table}`))[0]?.count);
  const ends = await Promise.all(partitions.map(async (partition) => (await log.watermarks(partition)).high));
  const isFolded = async () => {
    const rows = await query('select partition, next_offset from $g.projection_checkpoint');
    return partitions.every(
      (partition) =>
        BigInt(rows.find((row) => row.partition === partition)?.next_offset ?? 0) >= (ends[partition] ?? 0n),
    );
  };
  await until('all is folded', isFolded, withinMs);
  const documents = await query(
    `select conference || ' ' || channel || ' ' || key as name, version::int, body from $g.feed_document where body is not null`,
  );
  const folded = {
    documents: documents.sort(byName),
    sessions: await count('session'),
    commands: await count('applied_command'),
  };
  const journal = createJournal({ log, catalog, keys: createPostgresKeys(pool) });
  const expected = { documents: [] as Folded['documents'][number][], sessions: 0, commands: 0 };
  for (const partition of partitions) {
    const store = createMemoryStore();
    await foldLog({ log, journal, store, set: projectionSet('oracle'), sizes: [1], partition });
    for (const [name, { version, body }] of store.documents)
      if (body !== null) expected.documents.push({ name, version, body });
    for (const conference of store.heads.keys()) {
      expected.sessions += store.rows(conference, 'session').length;
      expected.commands += store.rows(conference, 'applied_command').length;
    }
  }
  expected.documents.sort(byName);
  return { folded, expected };
}
