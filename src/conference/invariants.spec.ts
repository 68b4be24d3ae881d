import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createMemoryStore, type Projection } from '#libs/projector';
import { Refusal } from '#libs/protocol';
import {
  CONFERENCE,
  contentOf,
  createWorld,
  foldLog,
  openDemo,
  organizer,
  refold,
  someone,
  type World,
} from '../../test/support/world.js';
import { projectionSet } from './projection-set.js';
import type { QaDocument, QuestionDocument } from './questions/documents.js';

const people = ['ada', 'bob', 'eve'].map((name) => someone(name));

/** One step: somebody does something to the n-th question (or session); retried or not; folded now or later. */
const step = fc.record({
  act: fc.constantFrom(
    'ask-question',
    'approve-question',
    'dismiss-question',
    'restore-question',
    'upvote-question',
    'withdraw-upvote',
    'take-question',
    'release-question',
    'answer-question',
    'reopen-question',
    'withdraw-question',
    'queue-question',
    'start-session',
    'end-session',
    'cancel-session',
    'swap-sessions',
    'erase-attendee',
  ),
  who: fc.nat({ max: 2 }),
  which: fc.nat({ max: 5 }),
  retries: fc.nat({ max: 2 }),
  fold: fc.boolean(),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const OWN = new Set(['ask-question', 'upvote-question', 'withdraw-upvote', 'withdraw-question']);

/** Plays the steps; a retry is decided again, on whatever state is there by then. */
async function play(world: World, steps: readonly Step[], questions: string[] = []): Promise<void> {
  for (const [number, { act, who, which, retries, fold }] of steps.entries()) {
    const by = OWN.has(act) ? (people[who] ?? organizer) : organizer;
    const question = questions[which % Math.max(1, questions.length)] ?? 'none';
    const session = `s${(which % 3) + 1}`;
    const special: Readonly<Record<string, object>> = {
      'ask-question': { session: 's1', text: `question ${number}` },
      'dismiss-question': { question, reason: 'duplicate' },
      'swap-sessions': { first: session, second: 's2' },
      'erase-attendee': { subject: people[who]?.actor },
    };
    const data = special[act] ?? (act.endsWith('-session') ? { session } : { question });
    for (let attempt = 0; attempt <= retries; attempt++) {
      const ids = await world.send(act, data, by, `step ${number}`);
      if (!(ids instanceof Refusal) && act === 'ask-question' && ids[0] && !questions.includes(ids[0]))
        questions.push(ids[0]);
      if (fold && attempt === 0) await world.fold();
    }
  }
  await world.fold();
}

describe('what must never break', () => {
  it('I3: any split of the log into batches gives the same rows, documents and versions', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 5, maxLength: 40 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
        async (steps, sizes) => {
          const world = createWorld();
          await openDemo(world);
          await play(world, steps);
          const oracle = contentOf(await refold(world, [1]));
          expect(contentOf(await refold(world, sizes))).toEqual(oracle);
          expect(contentOf(await refold(world, [1_000]))).toEqual(oracle);
        },
      ),
      { numRuns: 40 },
    );
  }, 60_000);

  it('I13: commands retried and decided again act once: the rows are those of a world without retries', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        const once = createWorld();
        const often = createWorld();
        for (const [world, all] of [
          [once, steps.map((one) => ({ ...one, retries: 0, fold: true }))],
          [often, steps.map((one) => ({ ...one, fold: true }))],
        ] as const) {
          await openDemo(world);
          await play(world, all);
        }
        const bodies = (world: World) =>
          [...world.store.documents]
            .filter(([key, { body }]) => body && !/ (outcomes|join)\//.test(key))
            .map(([key, { body }]) => [key, JSON.stringify(body).replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '')])
            .sort();
        expect(bodies(often)).toEqual(bodies(once));
      }),
      { numRuns: 30 },
    );
  }, 60_000);

  it('whatever is done in whatever order: one on stage at most, votes are distinct voters, counts are right', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
        const world = createWorld();
        await openDemo(world);
        await play(
          world,
          steps.map((one) => ({ ...one, fold: false })),
        );
        const questions = world.store.rows(CONFERENCE, 'question') as unknown as (QuestionDocument & {
          author: string;
        })[];
        const votes = world.store.rows(CONFERENCE, 'question_vote');
        const qa = world.document<QaDocument>('session/s1/questions', 'qa/state');
        expect(questions.filter(({ state }) => state === 'taken').map(({ id }) => id)).toEqual(
          qa?.taken ? [qa.taken] : [],
        );
        expect(qa?.waiting).toBe(questions.filter(({ state }) => state === 'pending').length);
        for (const question of questions) {
          const voters = votes.filter((vote) => vote.question === question.id).map(({ voter }) => voter);
          expect({ votes: question.votes, own: voters.includes(question.author) }).toEqual({
            votes: new Set(voters).size,
            own: false,
          });
        }
      }),
      { numRuns: 40 },
    );
  }, 60_000);
});

describe('I4: an event that its projection cannot fold', () => {
  /** As the conference's own, but unable to fold a start of s1. */
  function broken() {
    const set = projectionSet('broken');
    const projections = set.projections.map((projection): Projection => {
      const handler = projection.on['session-started'];
      if (!handler) return projection;
      return {
        ...projection,
        on: {
          ...projection.on,
          'session-started': {
            ...handler,
            fold(event, rows) {
              if (event.subject === 's1') throw new TypeError('a bug');
              return handler.fold(event, rows);
            },
          },
        },
      };
    });
    return { ...set, projections };
  }

  async function parked() {
    const world = createWorld({ set: broken() });
    await openDemo(world);
    const before = await world.log.watermarks(0);
    await world.send('start-session', { session: 's1' }, organizer, 'the poison');
    await world.send('ask-question', { session: 's1', text: 'Does it wait?' }, people[0]);
    await world.send('start-session', { session: 's3' });
    await world.fold();
    return { world, offset: Number(before.high) };
  }

  it('parks its stream: "held since" in its channels, later events wait, everything else goes on', async () => {
    const { world } = await parked();
    for (const channel of ['schedule', 'session/s1/questions', 'session/s1/desk'])
      expect(world.document(channel, 'held/session/s1')).toMatchObject({ stream: 'session/s1' });
    expect(world.document('schedule', 'session/s1')).toMatchObject({ state: 'scheduled' });
    expect(world.document('schedule', 'session/s3')).toMatchObject({ state: 'running' });
    expect(world.document('me/ada', 'session/s1')).toBeUndefined();
    expect(world.document('me/olga', 'outcomes/last')).toMatchObject({ list: [{ outcome: 'held' }] });
    expect(world.store.rows(CONFERENCE, 'parked_event')).toHaveLength(2);
    expect(world.store.heads.get(CONFERENCE)).toBe(Number((await world.log.watermarks(0)).high) - 1);
  });

  it('with the projection corrected, a new build brings it to the state of the oracle', async () => {
    const { world } = await parked();
    const corrected = await refold(world, [3]);
    const never = await refold(world, [1]);
    expect(contentOf(corrected)).toEqual(contentOf(never));
    expect(corrected.documents.get(`${CONFERENCE} schedule session/s1`)?.body).toMatchObject({ state: 'running' });
    expect(corrected.rows(CONFERENCE, 'parked_event')).toEqual([]);
  });

  it('without, event-skipped drops it, folds the rest there, and every later build skips it too', async () => {
    const { world, offset } = await parked();
    await world.send('skip-event', { offset });
    await world.fold();
    expect(world.document('schedule', 'held/session/s1')).toBeUndefined();
    expect(world.document('me/ada', 'session/s1')).toMatchObject({ questions: [{ text: 'Does it wait?' }] });
    expect(world.document('me/olga', 'outcomes/last')).toMatchObject({
      list: [{ outcome: 'no-effect', because: 'dropped by an operator' }],
    });
    expect(world.store.isSkipped(CONFERENCE, offset)).toBe(true);
    expect(world.document('schedule', 'session/s1')).toMatchObject({ state: 'scheduled' });
    expect(world.store.rows(CONFERENCE, 'parked_event')).toEqual([]);
  });

  it.each([
    [1, 1],
    [2, 3],
    [100, 1],
  ])(
    'I3: a release in slices of %d events and %d documents ends in the same rows, documents and versions',
    async (events, documents) => {
      const { world, offset } = await parked();
      for (let turn = 0; turn < 7; turn++)
        await world.append([
          {
            type: 'question-asked',
            stream: 'session/s1',
            data: { session: 's1', text: `Question ${turn}?`, name: null },
          },
        ]);
      await world.send('skip-event', { offset });
      await world.send('start-session', { session: 's2' });
      const { log, journal } = world;
      const whole = createMemoryStore();
      await foldLog({ log, journal, store: whole, set: broken(), sizes: [100] });
      const sliced = createMemoryStore();
      const release = { events, documents, isOver: () => false, refused: new Map(), onTry: () => undefined };
      await foldLog({ log, journal, store: sliced, set: broken(), sizes: [100], release });
      expect(contentOf(sliced)).toEqual(contentOf(whole));
      expect(sliced.rows(CONFERENCE, 'postponed_document')).toEqual([]);
      expect(sliced.audit).toEqual(whole.audit);
    },
  );

  it('a record without a readable envelope becomes a dead letter, and nothing stops', async () => {
    const world = createWorld();
    await openDemo(world);
    await world.log.append(CONFERENCE, [{ headers: new Map(), value: Buffer.from('garbage') }]);
    await world.send('start-session', { session: 's1' });
    await world.fold();
    expect(world.store.deadLetters).toMatchObject([{ reason: 'not a CloudEvent 1.0' }]);
    expect(world.document('schedule', 'session/s1')).toMatchObject({ state: 'running' });
  });
});
