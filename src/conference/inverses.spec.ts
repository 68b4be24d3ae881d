/** I10: each reversible act, given as a command, and the command that takes it back: every document reads as before. */
import { describe, expect, it } from '@jest/globals';
import { Refusal } from '#libs/protocol';
import { holdsInAnyDelivery } from '../../test/support/any-delivery.js';
import { approved, CASES, LEAVES, p, q, type Step } from '../../test/support/inverse-cases.js';
import { createWorld, openDemo, organizer, someone, type World } from '../../test/support/world.js';
import { capabilities } from './capabilities.js';
import { inverseOf } from './inverse-commands.js';

async function given(): Promise<{ world: World; run: (step: Step) => Promise<void> }> {
  const world = createWorld();
  await openDemo(world);
  const ids = new Map<string, string>();
  for (const [mark, text] of [
    ['$q', 'How do you roll back a model?'],
    ['$p', 'And who decides?'],
  ] as const) {
    const asked = await world.send('ask-question', { session: 's1', text }, someone('ada'));
    if (asked instanceof Refusal) throw asked;
    ids.set(mark, asked[0] ?? '');
    await world.fold();
  }
  await world.send('open-discussion', { session: 's1' });
  await world.fold();
  const posted = await world.send('post-message', { session: 's1', text: 'Start with the rollback.' }, someone('ada'));
  if (posted instanceof Refusal) throw posted;
  ids.set('$m', posted[0] ?? '');
  await world.fold();
  const run = async ([type, data, by = organizer]: Step): Promise<void> => {
    const filled = Object.entries(data).map(([name, value]) => [name, ids.get(String(value)) ?? value]);
    const answer = await world.send(type, Object.fromEntries(filled), by);
    if (answer instanceof Refusal) throw new Error(`${type}: ${answer.message}`);
    if (answer.length === 0) throw new Error(`${type} did nothing`);
    await world.fold();
  };
  return { world, run };
}

/** Every living document; who acted last and outcomes are about acts, not about what they did. */
const seen = (world: World): object =>
  Object.fromEntries(
    [...world.store.documents]
      .filter(([name, { body }]) => body !== null && !name.includes(' outcomes/'))
      // When something began or ended is the time of the act.
      .map(([name, { body }]) => [name, JSON.stringify({ ...body, actor: undefined }, timeless)]),
  );

const timeless = (name: string, value: unknown): unknown =>
  name === 'actual' ? Object.values(value as object).map((at) => at !== null) : value;

describe('I10: an act and its inverse', () => {
  it.each(CASES.map((one) => [`${one.event} (${one.act[0]} … ${one.inverse[0]})`, one] as const))(
    '%s',
    async (_, { given: steps = [], act, inverse }) => {
      const { world, run } = await given();
      for (const step of steps) await run(step);
      const before = seen(world);
      await run(act);
      expect(seen(world)).not.toEqual(before);
      await run(inverse);
      expect(seen(world)).toEqual(before);
      await holdsInAnyDelivery(world);
    },
  );

  /** Its text is not in the audit (I14), so it offers no way back. */
  const UNKNOWN = new Set(['question-reopened']);

  it.each(CASES.map((one) => [`${one.event} (${one.act[0]})`, one] as const))(
    'the way back that the audit offers: %s',
    async (_, { event, given: steps = [], act }) => {
      const { world, run } = await given();
      for (const step of steps) await run(step);
      const [before, written] = [seen(world), world.store.audit.length];
      await run(act);
      const entries = world.store.audit.slice(written);
      const audited = capabilities.flatMap(({ events }) => events).find(({ type }) => type === event)?.audited;
      expect(entries.length > 0).toBe(audited);
      if (!audited || UNKNOWN.has(event)) return;
      for (const entry of [...entries].reverse()) {
        const back = inverseOf(entry);
        if (!back) throw new Error(`${entry.type} has no way back`);
        await run([back.type, back.data]);
      }
      expect(seen(world)).toEqual(before);
    },
  );

  it('every event that names an inverse is in this list, or says what stays', () => {
    const reversible = capabilities
      .flatMap(({ events }) => events)
      .filter(({ inverse }) => typeof inverse === 'string')
      .map(({ type }) => type)
      .sort();
    const tried = new Set([...CASES.map(({ event }) => event), ...Object.keys(LEAVES)]);
    expect([...tried].sort()).toEqual(reversible);
  });

  it('several acts are taken back one by one', async () => {
    const { world, run } = await given();
    const states = [seen(world)];
    const acts: Step[] = [
      approved,
      ['dismiss-question', { ...q, reason: 'unkind' }],
      approved,
      ['take-question', q],
      ['answer-question', q],
    ];
    for (const act of acts) {
      await run(act);
      states.push(seen(world));
    }
    for (const inverse of [
      'reopen-question',
      'release-question',
      'retract-approval',
      'restore-question',
      'retract-approval',
    ]) {
      expect(seen(world)).toEqual(states.pop());
      await run([inverse, q]);
    }
    expect(seen(world)).toEqual(states.pop());
  });

  it('taking another is two events: undoing both brings the first back on stage', async () => {
    const { world, run } = await given();
    for (const step of [approved, ['approve-question', p], ['queue-question', p], ['take-question', q]] as Step[])
      await run(step);
    const before = seen(world);
    await run(['take-question', p]);
    await run(['release-question', p]);
    await run(['take-question', q]);
    expect(seen(world)).toEqual(before);
  });
});
