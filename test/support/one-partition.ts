/** A partition on a real Postgres, folded as the projector would, and compared with each event folded alone on maps. */
import { randomUUID } from 'node:crypto';
import { expect } from '@jest/globals';
import {
  createJournal,
  createMemoryKeys,
  createMemoryLog,
  eventIdOf,
  type NewEvent,
  type SubjectKeys,
} from '#libs/event-log';
import { migrate } from '#libs/postgres';
import { groupByCommand, projectorPool } from '#libs/projector';
import { BatchSize } from '../../libs/projector/batch-size.js';
import { claim } from '../../libs/projector/checkpoint.js';
import { batchesOf } from '../../libs/projector/commands-of.js';
import { Committer } from '../../libs/projector/committer.js';
import { generationMigrations } from '../../migrations/index.js';
import { catalog } from '../../src/conference/catalog.js';
import { set } from './conference-station.js';
import { type Folded, refolded, stored } from './oracle.js';
import { silent as logger } from './silent.js';
import type { TestDatabase } from './test-database.js';

/** Each control event after so many commands. */
const CONTROL_EVERY = 40;
/** A log of its own, its keys in memory, and the tables of a generation. */
export async function onePartition(
  database: TestDatabase,
  keys: Pick<SubjectKeys, 'find' | 'keyFor'> = createMemoryKeys(),
) {
  const log = createMemoryLog({ partitions: 1 });
  const journal = createJournal({ log, catalog, keys });
  const schema = `t${randomUUID().slice(0, 8)}`;
  const logIdentity = await log.identity();
  const { rows } = await database.pool.query<{ id: number }>(
    `insert into generation (projection_version, log_identity, schema_name, state) values ($1, $2, $3, 'building') returning id`,
    [set.version, logIdentity, schema],
  );
  const generation = { id: rows[0]?.id ?? 0, schema, version: set.version, logIdentity };
  await migrate({ url: database.url, schema, migrations: generationMigrations });
  const pool = projectorPool({ url: database.url, applicationName: 'every event', schema });
  let commands = 0;
  const send = async (conference: string, events: readonly NewEvent[], actor = 'olga'): Promise<string> => {
    const commandId = randomUUID();
    await journal.append({ conference, commandId, source: 'test', actor, actorRole: 'organizer', events });
    if (++commands % CONTROL_EVERY === 0)
      await journal.append({
        ...{ conference: 'control', commandId: randomUUID(), source: 'test', actor: 'olga', actorRole: 'organizer' },
        events: [{ type: 'room-freed-up', subject: 'r', stream: 'conference', data: { room: 'r' } }],
      });
    return eventIdOf(commandId, 0);
  };
  /** Folds the log as the projector would, and compares. */
  const judge = async () => {
    const claimed = await claim(pool, 0, randomUUID());
    if (!claimed) throw new Error('the claim was declined');
    const size = new BatchSize();
    const committer = new Committer({
      ...{ pool, set, catalog, generation, logger, claimed, reader: journal.reader(), size },
      skipped: new Set(),
      onCommit: () => undefined,
    });
    const { records, nextOffset } = await log.read(0, 0n, 1_000_000);
    const groups = groupByCommand(records);
    await committer.run(batchesOf(groups, { from: 0n, end: nextOffset }, size, committer.isRelease));
    expect(claimed.next).toBe(nextOffset);
    const parked = await pool.query(
      `select p.reason, p."offset"::int from parked_event p where p.reason <> 'waits for its stream' order by p."offset"`,
    );
    const types = parked.rows.map(({ reason, offset }) => [
      records[offset]?.headers.get('ce_type')?.toString(),
      reason,
      records[offset]?.value?.toString().slice(0, 300),
    ]);
    expect(types).toEqual([]);
    const letters = await database.pool.query('select reason from dead_letter where log_identity = $1', [logIdentity]);
    expect(letters.rows).toEqual([]);
    const heads = await pool.query(`select head::int from feed_head where conference = 'control'`);
    const last = records.findLast(({ key }) => key === 'control');
    expect(heads.rows).toEqual(last ? [{ head: Number(last.offset) }] : []);
    expect(differences(await stored(database, schema), await refolded(journal, log))).toEqual([]);
    await pool.end();
  };
  return { log, send, judge };
}

/** A few of the lines that only one side has: the whole would be megabytes. */
function differences(folded: Folded, expected: Folded): readonly string[] {
  const flat = ({ rows, documents, heads, audit }: Folded) => [
    ...Object.entries(rows).flatMap(([table, lines]) => lines.map((line) => `${table} ${line}`)),
    ...[...documents, ...heads, ...audit],
  ];
  const [here, there] = [new Set(flat(folded)), new Set(flat(expected))];
  const only = (name: string, some: Set<string>, others: Set<string>) =>
    [...some].filter((line) => !others.has(line)).map((line) => `${name}: ${line.slice(0, 600)}`);
  return [...only('in the database', here, there), ...only('folded alone', there, here)].slice(0, 6);
}
