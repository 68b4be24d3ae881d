/**
 * I4: whatever the schemas of the events accept, the database stores, and nothing stops a partition. A longer form folds every pair of event
 * types: HALLWAY_EVERY_PAIR=1.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { NewEvent } from '#libs/event-log';
import { capabilities } from '../../src/conference/capabilities.js';
import type { EventSpec } from '../../src/conference/capability.js';
import { set } from '../support/conference-station.js';
import { edgesOf } from '../support/edges.js';
import { onePartition } from '../support/one-partition.js';
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
/** Belong to no stream. */
const FREE = new Set([set.erasure, set.skip]);

type Send = Awaited<ReturnType<typeof onePartition>>['send'];

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
    const { send, judge } = await onePartition(database);
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
    const { send, judge } = await onePartition(database);
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
