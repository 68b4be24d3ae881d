/**
 * I4: whatever the schemas of the events accept, the database stores, and nothing stops a partition. A longer form folds every pair of event
 * types: HALLWAY_EVERY_PAIR=1.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createJournal, createMemoryKeys, createMemoryLog, eventIdOf, type NewEvent } from '#libs/event-log';
import { migrate } from '#libs/postgres';
import { groupByCommand, projectorPool } from '#libs/projector';
import { BatchSize } from '../../libs/projector/batch-size.js';
import { claim } from '../../libs/projector/checkpoint.js';
import { batchesOf } from '../../libs/projector/commands-of.js';
import { Committer } from '../../libs/projector/committer.js';
import { generationMigrations } from '../../migrations/index.js';
import { capabilities } from '../../src/conference/capabilities.js';
import type { EventSpec } from '../../src/conference/capability.js';
import { catalog } from '../../src/conference/catalog.js';
import { set } from '../support/conference-station.js';
import { edgesOf } from '../support/edges.js';
import { type Folded, refolded, stored } from '../support/oracle.js';
import { silent as logger } from '../support/silent.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const SPECS = capabilities.flatMap(({ events, stream }) => events.map((spec) => ({ spec, stream })));
const EVERY_PAIR = process.env.HALLWAY_EVERY_PAIR === '1';
/** Of a short run: each pair of neighbours, and each type beside every seventh. */
const STRIDE = 7;
/** Each control event after so many commands. */
const CONTROL_EVERY = 40;
/** Belong to no stream. */
const FREE = new Set([set.erasure, set.skip]);

/** A log of its own, its keys in memory, and the tables of a generation. */
async function partition() {
  const log = createMemoryLog({ partitions: 1 });
  const journal = createJournal({ log, catalog, keys: createMemoryKeys() });
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
    expect(heads.rows).toEqual([{ head: Number(records.findLast(({ key }) => key === 'control')?.offset) }]);
    expect(differences(await stored(database, schema), await refolded(journal, log))).toEqual([]);
    await pool.end();
  };
  return { send, judge };
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

type Send = Awaited<ReturnType<typeof partition>>['send'];

/** The things that events are about, in a conference of its own. */
async function conferenceWith(send: Send, conference: string): Promise<Readonly<Record<string, string>>> {
  const ids: Record<string, string> = { session: 's1', first: 's1', second: 's2', room: 'hall-a', moderator: 'm1' };
  const given = async (type: string, over: object = {}) => {
    const { spec } = SPECS.find((one) => one.spec.type === type) ?? {};
    if (!spec) throw new Error(`there is no event ${type}`);
    return send(conference, [eventOf(spec, { ...spec.example, ...over }, ids, conference)]);
  };
  await given('conference-opened', { id: conference });
  await given('room-defined');
  await given('session-scheduled');
  await given('questions-opened', { mode: 'open' });
  ids.question = await given('question-asked');
  await given('discussion-opened');
  ids.message = await given('message-posted');
  ids.update = await given('update-posted');
  await given('moderator-granted');
  return ids;
}

/** As a decider would return it, about one of these things where its data names one of that kind. */
function eventOf(
  spec: EventSpec,
  example: object,
  ids: Readonly<Record<string, string>>,
  conference: string,
): NewEvent {
  const data = Object.fromEntries(
    Object.entries(example).map(([name, value]) => [name, typeof value === 'string' ? (ids[name] ?? value) : value]),
  ) as Record<string, never>;
  const own = ['question', 'message', 'update', 'moderator', 'subject', 'room', 'session'].find((name) => name in data);
  const { stream } = SPECS.find((one) => one.spec.type === spec.type) ?? {};
  const isSession = spec.type.startsWith('session-') || spec.type.startsWith('recording-');
  const makes = /-(asked|posted)$/.test(spec.type);
  const subject =
    spec.type === 'room-defined' ? String(data.id) : own ? String(data[own]) : isSession ? 's1' : conference;
  return {
    type: spec.type,
    stream: FREE.has(spec.type) ? null : (stream ?? 'session/s1'),
    data,
    ...(makes ? {} : { subject }),
  };
}

describe('every event', () => {
  it('I4: with each field at its limits, twice in one batch and once more later: stored as the schemas allow it, the partition never stops', async () => {
    const { send, judge } = await partition();
    let edges = 0;
    for (const { spec } of SPECS) {
      const conference = `at-limits-${spec.type}`.slice(0, 60);
      const ids = await conferenceWith(send, conference);
      for (const [index, data] of edgesOf(spec.schema, spec.example).entries()) {
        edges += 1;
        const event = eventOf(spec, data, ids, conference);
        // As the schema gave it, too: ids of things that are nowhere, or as long as can be.
        const asGiven = eventOf(spec, data, {}, conference);
        await Promise.all([
          send(conference, [event], `actor-${index % 3}`),
          send(conference, [event, asGiven], `actor-${index % 3}`),
        ]);
      }
    }
    expect(edges).toBeGreaterThan(10 * SPECS.length);
    await judge();
  }, 120_000);

  it('I4: twice, and beside other types, in one batch and across batches: the rows are those of each event folded alone', async () => {
    const { send, judge } = await partition();
    for (const [index, { spec }] of SPECS.entries()) {
      const conference = `beside-${spec.type}`.slice(0, 60);
      const ids = await conferenceWith(send, conference);
      const event = eventOf(spec, spec.example, ids, conference);
      await send(conference, [event, event]);
      for (const [place, { spec: other }] of SPECS.entries()) {
        if (!EVERY_PAIR && place !== index + 1 && (place + index) % STRIDE !== 0) continue;
        const beside = eventOf(other, other.example, ids, conference);
        await send(conference, [event]);
        await send(conference, [beside], 'ada');
        if (EVERY_PAIR) await send(conference, [beside, event], 'bob');
      }
    }
    await judge();
  }, 240_000);
});
