/** The conference domain on a memory log of one partition and a real Postgres: batches are cut by the test, the database is the judge. */
import { randomUUID } from 'node:crypto';
import {
  commandIdOf,
  createJournal,
  createMemoryLog,
  createPostgresKeys,
  type LogRecord,
  type NewEvent,
} from '#libs/event-log';
import { migrate } from '#libs/postgres';
import { type Generation, groupByCommand, projectorPool } from '#libs/projector';
import { BatchSize } from '../../libs/projector/batch-size.js';
import { claim } from '../../libs/projector/checkpoint.js';
import { Committer } from '../../libs/projector/committer.js';
import { generationMigrations } from '../../migrations/index.js';
import { catalog } from '../../src/conference/catalog.js';
import { projectionSet } from '../../src/conference/projection-set.js';
import { silent as logger } from './silent.js';
import type { TestDatabase } from './test-database.js';

export const set = projectionSet('conference-station');

export async function conferenceStation(database: TestDatabase) {
  const log = createMemoryLog({ partitions: 1 });
  const journal = createJournal({ log, catalog, keys: createPostgresKeys(database.pool) });
  const logIdentity = await log.identity();
  const schema = `t${randomUUID().slice(0, 8)}`;
  const { rows } = await database.pool.query<{ id: number }>(
    `insert into generation (projection_version, log_identity, schema_name, state) values ($1, $2, $3, 'building') returning id`,
    [set.version, logIdentity, schema],
  );
  const generation: Generation = { id: rows[0]?.id ?? 0, schema, version: set.version, logIdentity };
  await migrate({ url: database.url, schema, migrations: generationMigrations });
  const pool = projectorPool({ url: database.url, applicationName: 'conference station', schema });
  /** One command of these events. */
  const append = (conference: string, events: readonly NewEvent[], actor = 'olga', id: string = randomUUID()) =>
    journal.append({
      conference,
      commandId: commandIdOf(conference, actor, id),
      source: 'test',
      actor,
      actorRole: 'organizer',
      events,
    });
  const recordsFrom = async (from: bigint): Promise<readonly LogRecord[]> => (await log.read(0, from, 100_000)).records;
  /** Whole commands, `size` of them at a time. */
  const cut = (records: readonly LogRecord[], size: number) => {
    const groups = groupByCommand(records);
    return Array.from({ length: Math.ceil(groups.length / size) }, (_, index) => {
      const some = groups.slice(index * size, (index + 1) * size).flat();
      return { records: some, next: (some.at(-1)?.offset ?? 0n) + 1n };
    });
  };
  const claimed = async () => {
    await pool.query(`update projection_checkpoint set lease_until = '-infinity'`);
    const one = await claim(pool, 0, randomUUID());
    if (!one) throw new Error('the claim was declined');
    return one;
  };
  /** One projector's hands, without its loop: it folds what the test hands to it. */
  const committer = async () => {
    const own = await claimed();
    const parts = { pool, set, catalog, generation, logger, claimed: own, reader: journal.reader() };
    return {
      claimed: own,
      committer: new Committer({ ...parts, skipped: new Set(), size: new BatchSize(), onCommit: () => undefined }),
    };
  };
  /** A trigger that refuses rows with such a text in this column, until the answer is called. */
  const refuse = async (table: string, column: string, like: string, state: string) => {
    const name = `refuse_${randomUUID().slice(0, 8)}`;
    await pool.query(`create function ${name}() returns trigger language plpgsql as $$ begin
      if new.${column}::text like '${like}' then raise exception 'refused' using errcode = '${state}'; end if;
      return new; end $$`);
    await pool.query(
      `create trigger ${name} before insert or update on ${table} for each row execute function ${name}()`,
    );
    return () => pool.query(`drop function ${name} cascade`);
  };
  return { log, journal, generation, pool, append, recordsFrom, cut, committer, refuse };
}

/** `conference-opened` with its smallest data. */
export const opened = (id: string): NewEvent => ({
  type: 'conference-opened',
  subject: id,
  stream: 'conference',
  data: {
    id,
    title: 'A conference',
    timeZone: 'Europe/Dublin',
    dayChange: '04:00',
    languages: ['en'],
    joinCode: 'KX7P3M',
  },
});
