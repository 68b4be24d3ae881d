import { describe, expect, it } from '@jest/globals';
import { Refusal } from '#libs/protocol';
import {
  contentOf,
  createWorld,
  openDemo,
  organizer,
  refold,
  someone,
  type World,
} from '../../../test/support/world.js';
import type { DiscussionDocument, MessageDocument } from './documents.js';
import { WINDOW } from './views.js';

const ada = someone('ada');
const bob = someone('bob');
const CHANNEL = 'session/s1/discussion';

async function demo(): Promise<World> {
  const world = createWorld();
  await openDemo(world);
  await act(world, 'open-discussion', { session: 's1' });
  return world;
}

const act = async (world: World, type: string, data: object, by = organizer) => {
  const answer = await world.send(type, data, by);
  await world.fold();
  return answer instanceof Refusal ? answer.message : 'ok';
};

async function posted(world: World, text = 'Start with the rollback.', by = ada): Promise<string> {
  const ids = await world.send('post-message', { session: 's1', text, name: 'Ada' }, by);
  if (ids instanceof Refusal) throw ids;
  await world.fold();
  return ids[0] ?? '';
}

const shown = (world: World, id: string) => world.document<MessageDocument>(CHANNEL, `message/${id}`);
const state = (world: World) => world.document<DiscussionDocument>(CHANNEL, 'discussion/state');

describe('discussions', () => {
  it('opened on a session with its title as topic; messages are shown at once and counted', async () => {
    const world = await demo();
    const id = await posted(world);
    expect(state(world)).toEqual({ open: true, topic: 'Session s1', count: 1 });
    expect(shown(world, id)).toMatchObject({ text: 'Start with the rollback.', name: 'Ada', edited: false });
    expect(JSON.stringify(shown(world, id))).not.toContain('"ada"');
    expect(world.document('me/ada', `message/${id}`)).toMatchObject({ session: 's1', state: 'shown' });
  });

  it('its author edits and withdraws a message, nobody else; closed it can be read and taken back', async () => {
    const world = await demo();
    const id = await posted(world);
    expect(await act(world, 'edit-message', { message: id, text: 'x' }, bob)).toBe('only its author can do that');
    expect(await act(world, 'edit-message', { message: id, text: 'Better.' }, ada)).toBe('ok');
    expect(shown(world, id)).toMatchObject({ text: 'Better.', edited: true });
    await act(world, 'close-discussion', { session: 's1' });
    expect(await act(world, 'post-message', { session: 's1', text: 'late' }, bob)).toBe(
      'there is no open discussion here',
    );
    expect(await act(world, 'edit-message', { message: id, text: 'late' }, ada)).toBe('the discussion is closed');
    expect(shown(world, id)).toBeDefined();
    expect(await act(world, 'withdraw-message', { message: id }, ada)).toBe('ok');
    expect([shown(world, id), state(world)?.count]).toEqual([undefined, 0]);
    expect(await act(world, 'restore-message', { message: id })).toBe('its author has withdrawn it');
  });

  it('a hidden message is seen by the desk and, with the reason, by its author', async () => {
    const world = await demo();
    const id = await posted(world);
    expect(await act(world, 'hide-message', { message: id, reason: 'unkind' })).toBe('ok');
    expect(shown(world, id)).toBeUndefined();
    expect(world.document('session/s1/desk', `message/${id}`)).toMatchObject({ because: 'unkind', actor: 'olga' });
    expect(world.document('me/ada', `message/${id}`)).toMatchObject({ state: 'hidden', because: 'unkind' });
    await act(world, 'restore-message', { message: id });
    expect(shown(world, id)).toBeDefined();
    expect(world.document('session/s1/desk', `message/${id}`)).toBeUndefined();
  });

  it('a promoted message is a question of its own author, let through; once', async () => {
    const world = await demo();
    const id = await posted(world);
    expect(await act(world, 'promote-message', { message: id })).toBe('ok');
    const question = shown(world, id)?.question ?? '';
    expect(world.document('session/s1/questions', `question/${question}`)).toMatchObject({
      text: 'Start with the rollback.',
      name: 'Ada',
      state: 'approved',
    });
    expect(await act(world, 'upvote-question', { question }, ada)).toBe('nobody votes for their own question');
    expect(await act(world, 'promote-message', { message: id })).toBe('it is a question already');
    await act(world, 'erase-attendee', { subject: 'ada' });
    expect(JSON.stringify([...world.store.documents, world.store.audit])).not.toContain('rollback');
  });

  it('an event that one projection judges void is void for all: a message withdrawn meanwhile makes no question', async () => {
    const world = await demo();
    const id = await posted(world);
    await world.send('withdraw-message', { message: id }, ada);
    await world.send('promote-message', { message: id });
    await world.fold();
    expect(world.store.rows('srecon-demo', 'question')).toEqual([]);
    expect(world.document('me/olga', 'outcomes/last')).toMatchObject({
      list: [{ outcome: 'no-effect', because: 'it is withdrawn' }],
    });
  });

  it('I9: the channel keeps the last 500; the oldest leaves as a tombstone, whatever the batches', async () => {
    const world = await demo();
    const first = await posted(world, 'the first');
    const events = Array.from({ length: WINDOW }, (_, index) => ({
      type: 'message-posted',
      stream: 'session/s1',
      data: { session: 's1', text: `message ${index}`, name: null },
    }));
    for (let from = 0; from < events.length; from += 100) await world.append(events.slice(from, from + 100), bob);
    await world.fold();
    const living = [...world.store.documents].filter(
      ([name, { body }]) => name.startsWith(`srecon-demo ${CHANNEL} message/`) && body !== null,
    );
    expect(living).toHaveLength(WINDOW);
    expect(shown(world, first)).toBeUndefined();
    expect(state(world)?.count).toBe(WINDOW + 1);
    // It stays gone when it changes, and a rebuild in other batches says the same.
    await act(world, 'edit-message', { message: first, text: 'still the first' }, ada);
    expect(shown(world, first)).toBeUndefined();
    expect(contentOf(await refold(world, [7]))).toEqual(contentOf(await refold(world, [1_000])));
  });
});
