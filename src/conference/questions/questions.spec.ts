import { describe, expect, it } from '@jest/globals';
import type { Row, Rows } from '#libs/projector';
import { Refusal } from '#libs/protocol';
import { createWorld, openDemo, organizer, someone, type World } from '../../../test/support/world.js';
import type { MyQuestionsDocument, QaDocument, QuestionDocument } from './documents.js';
import { projection } from './projection.js';

const ada = someone('ada');
const bob = someone('bob');

async function asked(world: World, text = 'How do you roll back a model?'): Promise<string> {
  const ids = await world.send('ask-question', { session: 's1', text }, ada);
  if (ids instanceof Refusal) throw ids;
  await world.fold();
  return ids[0] ?? '';
}

async function demo(): Promise<World> {
  const world = createWorld();
  await openDemo(world);
  return world;
}

const act = async (world: World, type: string, data: object, by = organizer) => {
  const answer = await world.send(type, data, by);
  await world.fold();
  return answer instanceof Refusal ? answer.message : 'ok';
};

const shown = (world: World, id: string) => world.document<QuestionDocument>('session/s1/questions', `question/${id}`);
const qa = (world: World) => world.document<QaDocument>('session/s1/questions', 'qa/state');

describe('questions', () => {
  it('case V17: a vote rewrites the question, the desk’s and the voter’s document, and no author’s', async () => {
    const world = await demo();
    const id = await asked(world);
    await act(world, 'approve-question', { question: id });
    const versions = () => new Map([...world.store.documents].map(([name, { version }]) => [name, version]));
    const before = versions();
    await act(world, 'upvote-question', { question: id }, bob);
    const rewritten = [...versions()].flatMap(([name, version]) => (before.get(name) === version ? [] : [name]));
    expect(rewritten.map((name) => name.split(' ')[1]).sort()).toEqual([
      'me/ada',
      'me/bob',
      'session/s1/desk',
      'session/s1/questions',
    ]);
    await act(world, 'dismiss-question', { question: id, reason: 'unkind' });
    expect(world.document('_authors', `question/${id}`)).toMatchObject({ state: 'dismissed' });
  });

  it('the body of an author’s document reads only the columns that it names', () => {
    const view = projection.documents.find(({ shows }) => shows.some(({ columns }) => columns));
    const [shown] = view?.shows ?? [];
    const read = new Set<string>();
    const row = new Proxy({ id: 'q1', session: 's1' } as Row, {
      get(target, column: string) {
        read.add(column);
        return target[column];
      },
    });
    const ref = shown?.refs(row)[0] ?? { channel: '', key: '' };
    view?.render(ref, { get: () => row, all: () => [] } as unknown as Rows);
    expect([...read].sort()).toEqual([...(shown?.columns ?? [])].sort());
  });

  it('a pre-moderated question waits, is seen by its author and the desk, and by all once approved', async () => {
    const world = await demo();
    const id = await asked(world);
    expect(shown(world, id)).toBeUndefined();
    expect(qa(world)).toMatchObject({ waiting: 1 });
    expect(world.document<MyQuestionsDocument>('me/ada', 'session/s1')?.questions).toMatchObject([
      { id, state: 'pending' },
    ]);
    expect(await act(world, 'approve-question', { question: id })).toBe('ok');
    expect(shown(world, id)).toMatchObject({
      text: 'How do you roll back a model?',
      votes: 0,
      state: 'approved',
      name: null,
    });
    expect(qa(world)).toMatchObject({ waiting: 0 });
  });

  it('is shown at once where questions are open to all', async () => {
    const world = await demo();
    await act(world, 'open-questions', { session: 's2', mode: 'open' });
    const ids = await world.send('ask-question', { session: 's2', text: 'Why?' }, ada);
    await world.fold();
    expect(world.document('session/s2/questions', `question/${(ids as string[])[0]}`)).toMatchObject({
      state: 'approved',
    });
  });

  it('one vote per person, not for one’s own, taken back at will; the fold judges races', async () => {
    const world = await demo();
    const id = await asked(world);
    await act(world, 'approve-question', { question: id });
    expect(await act(world, 'upvote-question', { question: id }, ada)).toBe('nobody votes for their own question');
    await world.send('upvote-question', { question: id }, bob);
    await world.send('upvote-question', { question: id }, bob);
    await world.fold();
    expect(shown(world, id)?.votes).toBe(1);
    expect(world.document('me/bob', 'outcomes/last')).toMatchObject({
      list: [{ outcome: 'no-effect', because: 'already voted' }],
    });
    await act(world, 'withdraw-upvote', { question: id }, bob);
    expect(shown(world, id)?.votes).toBe(0);
  });

  it('exactly one is on stage: taking another releases the first', async () => {
    const world = await demo();
    const [first, second] = [await asked(world, 'First?'), await asked(world, 'Second?')];
    for (const question of [first, second]) await act(world, 'approve-question', { question });
    await act(world, 'take-question', { question: first });
    await act(world, 'take-question', { question: second });
    expect([shown(world, first)?.state, shown(world, second)?.state, qa(world)?.taken]).toEqual([
      'approved',
      'taken',
      second,
    ]);
    await act(world, 'answer-question', { question: second });
    expect([shown(world, second)?.state, qa(world)?.taken]).toEqual(['answered', null]);
    expect(await act(world, 'take-question', { question: second })).toBe('it is not approved');
  });

  it('two moderators on one question: one wins, the other reads why', async () => {
    const world = await demo();
    const id = await asked(world);
    const eve = { ...organizer, actor: 'eve' };
    await world.send('dismiss-question', { question: id, reason: 'duplicate' }, organizer);
    await world.send('dismiss-question', { question: id, reason: 'unkind' }, eve);
    await world.fold();
    expect(world.document('session/s1/desk', `question/${id}`)).toMatchObject({
      state: 'dismissed',
      because: 'duplicate',
      actor: 'olga',
    });
    expect(world.document('me/eve', 'outcomes/last')).toMatchObject({
      list: [{ outcome: 'no-effect', because: 'already dismissed' }],
    });
    expect(world.document('me/ada', 'session/s1')).toMatchObject({
      questions: [{ state: 'dismissed', because: 'duplicate' }],
    });
    expect(qa(world)).toMatchObject({ waiting: 0, dismissed: { duplicate: 1 } });
  });

  it('only the author edits and withdraws, and only in time', async () => {
    const world = await demo();
    const id = await asked(world);
    expect(await act(world, 'edit-question', { question: id, text: 'Better?' }, bob)).toBe(
      'only its author can edit a question',
    );
    expect(await act(world, 'edit-question', { question: id, text: 'Better?' }, ada)).toBe('ok');
    await act(world, 'approve-question', { question: id });
    expect(await act(world, 'edit-question', { question: id, text: 'Later?' }, ada)).toBe(
      'a moderator has approved it as it is',
    );
    // The fold says the same to an edit that was on its way.
    const stale = { type: 'question-edited', subject: id, stream: 'session/s1' };
    await world.append([{ ...stale, data: { session: 's1', question: id, text: 'Unread?' } }], ada);
    await world.fold();
    expect(shown(world, id)?.text).toBe('Better?');
    expect(await act(world, 'withdraw-question', { question: id }, ada)).toBe('ok');
    expect(shown(world, id)).toBeUndefined();
    expect(await act(world, 'approve-question', { question: id })).toBe('its author has withdrawn it');
  });

  it('where questions are open to all, the author may reword for two minutes', async () => {
    const world = await demo();
    await act(world, 'open-questions', { session: 's1', mode: 'open' });
    const id = await asked(world);
    world.now = new Date(Date.now() + 60_000);
    expect(await act(world, 'edit-question', { question: id, text: 'Better?' }, ada)).toBe('ok');
    world.now = new Date(Date.now() + 180_000);
    expect(await act(world, 'edit-question', { question: id, text: 'Later?' }, ada)).toBe(
      'it is shown and older than two minutes',
    );
  });

  it('"up next" is ordered by hand: a place between two others', async () => {
    const world = await demo();
    const ids: string[] = [];
    for (const text of ['One?', 'Two?', 'Three?']) {
      const id = await asked(world, text);
      ids.push(id);
      await act(world, 'approve-question', { question: id });
      await act(world, 'queue-question', { question: id });
    }
    const [one = '', two = '', three = ''] = ids;
    expect(await act(world, 'queue-question', { question: three, place: 1.5 })).toBe('ok');
    const placeOf = (id: string) => shown(world, id)?.queued ?? 0;
    expect([...ids].sort((a, b) => placeOf(a) - placeOf(b))).toEqual([one, three, two]);
  });

  it('refuses where questions are closed, and texts that are empty, long or cannot be stored', async () => {
    const world = await demo();
    expect(await act(world, 'ask-question', { session: 's3', text: 'Hello?' }, ada)).toBe(
      'questions are not open here',
    );
    for (const text of ['', '   ', '\t\n', 'x'.repeat(501), 'a\ud800b'])
      expect(await act(world, 'ask-question', { session: 's1', text }, ada)).toBe('text');
    await act(world, 'close-questions', { session: 's1', frozen: true });
    expect(await act(world, 'ask-question', { session: 's1', text: 'Late?' }, ada)).toBe('questions are not open here');
  });

  it('I14: an erased person’s texts vanish, counts and order stay, and they are refused ever after', async () => {
    const world = await demo();
    const id = await asked(world, 'My secret question');
    await act(world, 'approve-question', { question: id });
    await act(world, 'upvote-question', { question: id }, bob);
    expect(await act(world, 'erase-attendee', { subject: 'ada' })).toBe('ok');
    expect(shown(world, id)).toMatchObject({ text: '[erased]', votes: 1, state: 'approved' });
    expect(JSON.stringify([...world.store.documents, world.store.audit])).not.toContain('secret');
    expect(await act(world, 'ask-question', { session: 's1', text: 'Again?' }, ada)).toBe(
      'this person has been erased',
    );
    // A question that was on its way when the erasure was folded is blank too.
    await world.append(
      [{ type: 'question-asked', stream: 'session/s1', data: { session: 's1', text: 'too late secret', name: null } }],
      ada,
    );
    await world.fold();
    expect(JSON.stringify([...world.store.documents])).not.toContain('too late');
  });
});
