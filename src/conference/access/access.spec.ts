import { describe, expect, it } from '@jest/globals';
import { Refusal } from '#libs/protocol';
import { holdsInAnyDelivery } from '../../../test/support/any-delivery.js';
import { createWorld, openDemo, organizer, someone, type World } from '../../../test/support/world.js';
import type { ErasedDocument, ModeratorDocument, NamedModeratorDocument } from './documents.js';

const act = async (world: World, type: string, data: object, by = organizer) => {
  const answer = await world.send(type, data, by);
  await world.fold();
  return answer instanceof Refusal ? answer.message : 'ok';
};
const given = async (): Promise<World> => {
  const world = createWorld();
  await openDemo(world);
  return world;
};
const grant = (world: World, moderator: string) =>
  world.document<ModeratorDocument>('_access', `moderator/${moderator}`);
const named = (world: World, moderator: string) =>
  world.document<NamedModeratorDocument>('moderators', `moderator/${moderator}`);

describe('access', () => {
  it('grant-moderator: doors know what is granted, organizers who it is; a new grant replaces', async () => {
    const world = await given();
    expect(await act(world, 'grant-moderator', { moderator: 'mo', sessions: ['s1'], name: 'Mo' })).toBe('ok');
    expect(grant(world, 'mo')).toEqual({ moderator: 'mo', sessions: ['s1'] });
    expect(named(world, 'mo')).toEqual({ moderator: 'mo', sessions: ['s1'], name: 'Mo' });
    expect(await act(world, 'grant-moderator', { moderator: 'mo' })).toBe('ok');
    expect(grant(world, 'mo')).toEqual({ moderator: 'mo', sessions: 'all' });
    await holdsInAnyDelivery(world);
  });

  it('revoke-moderator: the grant is gone, once', async () => {
    const world = await given();
    expect(await act(world, 'revoke-moderator', { moderator: 'mo' })).toBe('this person is not a moderator');
    await act(world, 'grant-moderator', { moderator: 'mo' });
    expect(await act(world, 'revoke-moderator', { moderator: 'mo' })).toBe('ok');
    expect([grant(world, 'mo'), named(world, 'mo')]).toEqual([undefined, undefined]);
    expect(await act(world, 'take-question', { question: 'q' }, someone('mo', 'moderator'))).toBe('access was revoked');
    await holdsInAnyDelivery(world);
  });

  it('I14 erase-attendee: words and names vanish, what they counted stays; not twice, and no grant after it', async () => {
    const world = await given();
    const ids = await world.send('ask-question', { session: 's1', text: 'Mine?', name: 'Ada' }, someone('ada'));
    if (ids instanceof Refusal) throw ids;
    await world.fold();
    await act(world, 'approve-question', { question: ids[0] });
    await act(world, 'grant-moderator', { moderator: 'ada', name: 'Ada' });
    expect(await act(world, 'erase-attendee', { subject: 'ada' })).toBe('ok');
    expect(world.document<ErasedDocument>('_access', 'erased/ada')).toEqual({ subject: 'ada' });
    expect(world.document('session/s1/questions', `question/${ids[0]}`)).toMatchObject({
      text: '[erased]',
      name: '[erased]',
      state: 'approved',
    });
    expect(named(world, 'ada')?.name).toBe('[erased]');
    expect(await act(world, 'erase-attendee', { subject: 'ada' })).toBe('already erased');
    expect(await act(world, 'grant-moderator', { moderator: 'ada' })).toBe('this person has been erased');
    await holdsInAnyDelivery(world);
  });

  it('skip-event: an event that holds nothing up is left as it is', async () => {
    const world = await given();
    expect(await act(world, 'skip-event', { offset: 3 }, someone('op', 'operator'))).toBe('ok');
    expect(world.document('schedule', 'session/s1')).toMatchObject({ state: 'scheduled' });
    await holdsInAnyDelivery(world);
  });
});
