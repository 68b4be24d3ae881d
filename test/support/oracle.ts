/** I1, judged on a live database: what projectors have written is what one reader folds from the log, command by command. */
import { createJournal, createPostgresKeys, type EventLog, type Journal } from '#libs/event-log';
import { createMemoryStore, liveGeneration, type MemoryStore, type RowTable, untyped } from '#libs/projector';
import {
  actorOutcomes,
  appliedCommand,
  erasedSubject,
  heldStream,
  parkedEvent,
  postponedDocument,
  windowEntry,
  windowHead,
} from '../../libs/projector/engine-tables.js';
import { fromDatabase } from '../../libs/projector/sql.js';
import { catalog } from '../../src/conference/catalog.js';
import { projectionSet } from '../../src/conference/projection-set.js';
import { until } from './process.js';
import type { TestDatabase } from './test-database.js';
import { foldLog } from './world.js';

/** Lines in order, so that two ways to the same end are the same value. */
export interface Folded {
  /** By table: conference and whole row. */
  readonly rows: Readonly<Record<string, readonly string[]>>;
  /** Living ones; of a dead one only a part of its time is kept (I9). */
  readonly documents: readonly string[];
  readonly heads: readonly string[];
  /** Without traceparents: those of a test's commands are of no interest. */
  readonly audit: readonly string[];
  readonly sessions: number;
  readonly commands: number;
}

const set = projectionSet('oracle');
const TABLES: readonly RowTable[] = [
  ...set.projections.flatMap(({ tables }) => tables),
  untyped(appliedCommand),
  untyped(actorOutcomes),
  untyped(parkedEvent),
  untyped(heldStream),
  untyped(postponedDocument),
  untyped(erasedSubject),
  untyped(windowEntry),
  untyped(windowHead),
];
const AUDIT_COLUMNS = `conference, "offset"::int, at, type, subject, actor, actor_role as "actorRole", reason,
  command_id as "commandId", no_effect as "noEffect", data, before, after`;

/** Waits until the checkpoints have reached the log's end, then answers both sides. */
export async function foldedAndExpected(
  database: TestDatabase,
  log: EventLog,
  withinMs = 15_000,
): Promise<{ readonly folded: Folded; readonly expected: Folded }> {
  const schema = (await liveGeneration(database.pool))?.schema ?? '';
  await untilFolded(database, schema, log, withinMs);
  return { folded: await stored(database, schema), expected: await refolded(journalOf(database, log), log) };
}

const partitionsOf = (log: EventLog) => Array.from({ length: log.partitions }, (_, partition) => partition);

async function untilFolded({ pool }: TestDatabase, schema: string, log: EventLog, withinMs: number): Promise<void> {
  const partitions = partitionsOf(log);
  const ends = await Promise.all(partitions.map(async (partition) => (await log.watermarks(partition)).high));
  const isFolded = async () => {
    const { rows } = await pool.query(`select partition, next_offset from ${schema}.projection_checkpoint`);
    return partitions.every(
      (partition) =>
        BigInt(rows.find((row) => row.partition === partition)?.next_offset ?? 0) >= (ends[partition] ?? 0n),
    );
  };
  await until('all is folded', isFolded, withinMs);
}

export async function stored({ pool }: TestDatabase, schema: string): Promise<Folded> {
  const all = async (text: string) => (await pool.query<Record<string, unknown>>(text)).rows;
  const rows: Record<string, string[]> = {};
  for (const table of TABLES) {
    const found = await all(`select * from ${schema}.${table.name}`);
    rows[table.name] = lines(found.map((raw) => fromDatabase(table, raw)));
  }
  const documents = await all(
    `select conference || ' ' || channel || ' ' || key as name, version::int, mark, body from ${schema}.feed_document where body is not null`,
  );
  const heads = await all(`select conference, head::int, proof::text from ${schema}.feed_head`);
  const audit = await all(`select ${AUDIT_COLUMNS} from ${schema}.audit_entry`);
  return folded(rows, documents, heads, audit);
}

const journalOf = ({ pool }: TestDatabase, log: EventLog): Journal =>
  createJournal({ log, catalog, keys: createPostgresKeys(pool) });

export async function refolded(journal: Journal, log: EventLog): Promise<Folded> {
  const stores: MemoryStore[] = [];
  for (const partition of partitionsOf(log)) {
    const store = createMemoryStore();
    await foldLog({ log, journal, store, set, sizes: [1], partition });
    stores.push(store);
  }
  const rowsOf = ({ name, columns }: RowTable) =>
    stores.flatMap((store) =>
      [...store.heads.keys()].flatMap((conference) =>
        store.rows(conference, name).map((row) => ({
          conference,
          row: Object.fromEntries(columns.map(({ property }) => [property, row[property] ?? null])),
        })),
      ),
    );
  return folded(
    Object.fromEntries(TABLES.map((table) => [table.name, lines(rowsOf(table))])),
    stores.flatMap(({ documents }) =>
      [...documents].flatMap(([name, { version, mark, body }]) =>
        body === null ? [] : [{ name, version, mark, body }],
      ),
    ),
    stores.flatMap(({ heads, proofs }) =>
      [...heads].map(([conference, head]) => ({ conference, head, proof: String(proofs.get(conference)) })),
    ),
    stores.flatMap(({ audit }) => audit.map((entry) => ({ ...entry, traceparent: undefined }))),
  );
}

function folded(
  rows: Readonly<Record<string, readonly string[]>>,
  documents: readonly object[],
  heads: readonly object[],
  audit: readonly object[],
): Folded {
  return {
    rows,
    documents: lines(documents),
    heads: lines(heads),
    audit: lines(audit),
    sessions: rows.session?.length ?? 0,
    commands: rows.applied_command?.length ?? 0,
  };
}

const lines = (values: readonly object[]): string[] => values.map((value) => JSON.stringify(value, inOrder)).sort();

/** jsonb keeps members in an order of its own. */
function inOrder(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
