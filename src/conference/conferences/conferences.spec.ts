import { describe, expect, it } from '@jest/globals';
import { Refusal } from '#libs/protocol';
import { holdsInAnyDelivery } from '../../../test/support/any-delivery.js';
import { createWorld, organizer, type World } from '../../../test/support/world.js';
import type { ConferenceDocument, JoinCodeDocument, RoomDocument } from './documents.js';

const FIELDS = { title: 'SREcon Demo', timeZone: 'Europe/Dublin' };
const ROOM = { id: 'a', name: 'Hall A', order: 1 };

const act = async (world: World, type: string, data: object, id?: string) => {
  const answer = await world.send(type, data, organizer, id);
  await world.fold();
  if (answer instanceof Refusal) return answer.message;
  return answer.length === 0 ? 'no effect' : 'ok';
};
const given = async (...acts: readonly (readonly [type: string, data: object])[]): Promise<World> => {
  const world = createWorld();
  for (const [type, data] of [['open-conference', FIELDS] as const, ...acts])
    expect([type, await act(world, type, data)]).toEqual([type, 'ok']);
  return world;
};
const self = (world: World) => world.document<ConferenceDocument>('schedule', 'conference/self');
const room = (world: World) => world.document<RoomDocument>('schedule', 'room/a');

describe('conferences', () => {
  it('open-conference: it exists once, with a join code that can be read aloud', async () => {
    const world = await given();
    expect(self(world)).toEqual({ ...FIELDS, dayChange: '04:00', languages: ['en'], state: 'open' });
    expect(world.document<JoinCodeDocument>('join', 'join/code')?.code).toMatch(/^[A-HJ-NP-Z2-9]{6}$/);
    expect(await act(world, 'open-conference', FIELDS)).toBe('this conference exists already');
    expect(await act(createWorld(), 'open-conference', { ...FIELDS, timeZone: 'Dublin' })).toBe(
      'this is not an IANA time zone',
    );
    await holdsInAnyDelivery(world);
  });

  it('amend-conference: title and zone change, the code and the state stay', async () => {
    const world = await given(['close-conference', {}]);
    const code = world.document('join', 'join/code');
    expect(await act(world, 'amend-conference', FIELDS)).toBe('the conference is closed');
    await act(world, 'reopen-conference', {});
    expect(await act(world, 'amend-conference', { ...FIELDS, title: 'Other', languages: ['en', 'de'] })).toBe('ok');
    expect(self(world)).toMatchObject({ title: 'Other', languages: ['en', 'de'], state: 'open' });
    expect(world.document('join', 'join/code')).toEqual(code);
    await holdsInAnyDelivery(world);
  });

  it('close-conference, reopen-conference: each once', async () => {
    const world = await given();
    expect(await act(world, 'reopen-conference', {})).toBe('it is not closed');
    expect(await act(world, 'close-conference', {})).toBe('ok');
    expect(self(world)).toMatchObject({ state: 'closed' });
    expect(await act(world, 'close-conference', {})).toBe('already closed');
    expect(await act(world, 'reopen-conference', {})).toBe('ok');
    expect(self(world)).toMatchObject({ state: 'open' });
    await holdsInAnyDelivery(world);
  });

  it('define-rooms: new ones, changed ones, and nothing for what is so already', async () => {
    const world = await given(['define-rooms', { rooms: [ROOM, { id: 'b', name: 'Hall B' }] }]);
    expect(room(world)).toEqual({ ...ROOM, capacity: null, floor: null, full: false });
    expect(await act(world, 'define-rooms', { rooms: [ROOM] })).toBe('no effect');
    expect(await act(world, 'define-rooms', { rooms: [{ ...ROOM, name: 'Aula', capacity: 80 }] })).toBe('ok');
    expect(room(world)).toMatchObject({ name: 'Aula', capacity: 80 });
    await holdsInAnyDelivery(world);
  });

  it('mark-room-full, mark-room-free: a room that exists, once each; a new name leaves it full', async () => {
    const world = await given(['define-rooms', { rooms: [ROOM] }]);
    expect(await act(world, 'mark-room-full', { room: 'nowhere' })).toBe('there is no such room');
    expect(await act(world, 'mark-room-full', { room: 'a' })).toBe('ok');
    expect(room(world)?.full).toBe(true);
    expect(await act(world, 'mark-room-full', { room: 'a' })).not.toBe('ok');
    await act(world, 'define-rooms', { rooms: [{ ...ROOM, name: 'Aula' }] });
    expect(room(world)).toMatchObject({ name: 'Aula', full: true });
    expect(await act(world, 'mark-room-free', { room: 'a' })).toBe('ok');
    expect(room(world)?.full).toBe(false);
    await holdsInAnyDelivery(world);
  });
});
