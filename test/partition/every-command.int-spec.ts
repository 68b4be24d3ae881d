/** I4, I13: every command decided twice on the same state, as by two people at the same moment: both are in the log, side by side. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { groupByCommand } from '#libs/projector';
import { Refusal } from '#libs/protocol';
import { capabilities } from '../../src/conference/capabilities.js';
import { approved, CASES, p, q, type Step } from '../support/inverse-cases.js';
import { onePartition } from '../support/one-partition.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { createWorld, openDemo, organizer, someone, type World } from '../support/world.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const ada = someone('ada');
const s1 = { session: 's1' };
const news = { texts: { en: 'Leave the building by the stairs.' } };
const emergency = { ...news, severity: 'emergency', confirmed: true };
const slot = { room: 'b', start: '2026-11-23T12:00:00Z', end: '2026-11-23T12:45:00Z' };
const facts = {
  kind: 'talk',
  title: 'Late',
  subtitle: null,
  abstract: null,
  speakers: [],
  track: null,
  language: null,
  url: null,
};
/** Commands that no case of the inverses begins or ends with. */
const OTHERS: readonly (readonly Step[])[] = [
  [['erase-attendee', { subject: 'ada' }]],
  [['skip-event', { offset: 1 }]],
  [['ask-question', { ...s1, text: 'Another one?' }, ada]],
  [['edit-question', { ...q, text: 'Otherwise?' }, ada]],
  [['withdraw-question', q, ada]],
  [['post-message', { ...s1, text: 'More.' }, ada]],
  [['edit-message', { message: '$m', text: 'Other.' }, ada]],
  [['withdraw-message', { message: '$m' }, ada]],
  [['promote-message', { message: '$m' }]],
  [['post-update', news]],
  [['renew-emergency', { update: '$u' }]],
  [['amend-update', { update: '$u', texts: { en: 'Stay inside.' } }]],
  [['retract-update', { update: '$u' }]],
  [['schedule-session', { title: 'Another one', ...slot }]],
  [['schedule-session', { id: 's9', title: 'The same one', ...slot }]],
  [['delay-room', { room: 'a', minutes: 10, reason: 'the train' }]],
  [
    [
      'import-sessions',
      {
        sessions: [
          { id: 's1', ...facts, ...slot },
          { id: 's8', ...facts, ...slot },
        ],
      },
    ],
  ],
  [['close-import', { counts: { scheduled: 2 } }]],
  [approved, ['queue-question', q], ['approve-question', p], ['queue-question', p]],
];

/** The things that the cases name, each in a conference of its own. */
async function given(isOpen = true) {
  const world = createWorld();
  if (isOpen) await openDemo(world);
  const ids = new Map<string, string>();
  const made = async (mark: string, type: string, data: object, by = ada) => {
    const answer = await world.send(type, data, by);
    if (answer instanceof Refusal) throw answer;
    ids.set(mark, answer[0] ?? '');
    await world.fold();
  };
  const things = async () => {
    await made('$q', 'ask-question', { ...s1, text: 'How do you roll back a model?' });
    await made('$p', 'ask-question', { ...s1, text: 'And who decides?' });
    await world.send('open-discussion', s1);
    await world.fold();
    await made('$u', 'post-update', emergency, organizer);
    await made('$m', 'post-message', { ...s1, text: 'Start with the rollback.' });
  };
  if (isOpen) await things();
  let sent = 0;
  /** As two people at the same moment. @returns how many were accepted */
  const twice = async ([type, data, by = organizer]: Step): Promise<number> => {
    const filled = Object.fromEntries(
      Object.entries(data).map(([name, value]) => [name, ids.get(String(value)) ?? value]),
    );
    const answers = [];
    for (let time = 0; time < 2; time++) answers.push(await world.send(type, filled, by, `twice ${sent++}`));
    await world.fold();
    return answers.filter((answer) => !(answer instanceof Refusal) && answer.length > 0).length;
  };
  return { world, twice };
}

describe('every command', () => {
  it('I4, I13: decided twice at once it stops nothing, and the rows are those of each event folded alone', async () => {
    const accepted = new Set<string>();
    const worlds: World[] = [];
    const steps = [...CASES.map(({ given: before = [], act, inverse }) => [...before, act, inverse]), ...OTHERS];
    const opening: Step = ['open-conference', { title: 'SREcon Demo', timeZone: 'Europe/Dublin' }];
    for (const some of [[opening], ...steps]) {
      const { world, twice } = await given(some[0] !== opening);
      for (const step of some) if ((await twice(step)) === 2) accepted.add(step[0]);
      worlds.push(world);
    }
    const known = capabilities.flatMap(({ commands }) => commands).map(({ type }) => type);
    const never = known.filter((type) => !accepted.has(type)).sort();
    expect(never).toEqual([]);

    const find = async (wanted: readonly string[]) =>
      new Map((await Promise.all(worlds.map(({ keys }) => keys.find(wanted)))).flatMap((found) => [...found]));
    const { log, judge } = await onePartition(database, {
      find,
      keyFor: () => Promise.reject(new Error('nothing is sealed here')),
    });
    for (const [index, world] of worlds.entries())
      for (const command of groupByCommand((await world.log.read(0, 0n, 10_000)).records))
        await log.append(`w-${index}`, command);
    await judge();
  }, 120_000);
});
