import { describe, expect, it } from '@jest/globals';
import { Refusal } from '#libs/protocol';
import { createWorld, openDemo, organizer, someone, type World } from '../../../test/support/world.js';
import { textOf, unconfirmed, viewUpdates } from '../view-updates.js';
import type { UpdateDocument } from './documents.js';

const act = async (world: World, type: string, data: object, by = organizer) => {
  const answer = await world.send(type, data, by);
  await world.fold();
  return answer instanceof Refusal ? answer.message : 'ok';
};

async function demo(): Promise<World> {
  const world = createWorld();
  await openDemo(world);
  return world;
}

async function posted(world: World, data: object = {}, by = organizer): Promise<string> {
  const ids = await world.send('post-update', { texts: { en: 'Lunch is served.' }, ...data }, by);
  if (ids instanceof Refusal) throw ids;
  await world.fold();
  return ids[0] ?? '';
}

const update = (world: World, id: string, channel = 'updates') =>
  world.document<UpdateDocument>(channel, `update/${id}`);
const emergency = { texts: { en: 'Leave the building.' }, severity: 'emergency', confirmed: true };

describe('updates', () => {
  it('are posted, amended and retracted, and say so', async () => {
    const world = await demo();
    const id = await posted(world);
    expect(update(world, id)).toMatchObject({ texts: { en: 'Lunch is served.' }, state: 'posted', severity: 'info' });
    expect(await act(world, 'amend-update', { update: id, texts: { en: 'Lunch is late.' } })).toBe('ok');
    expect(update(world, id)).toMatchObject({ texts: { en: 'Lunch is late.' }, state: 'amended' });
    expect(await act(world, 'retract-update', { update: id })).toBe('ok');
    expect(update(world, id)).toMatchObject({ texts: {}, state: 'retracted' });
    expect(await act(world, 'amend-update', { update: id, texts: { en: 'x' } })).toBe('it is retracted');
  });

  it('for crew are in the channel for crew alone, and stay there', async () => {
    const world = await demo();
    const id = await posted(world, { audience: { to: 'crew' } });
    expect([update(world, id), update(world, id, 'crew')]).toMatchObject([undefined, { id }]);
    expect(await act(world, 'amend-update', { update: id, texts: { en: 'x' } })).toMatch(/not made public/);
  });

  it('an emergency is an organizer’s, asked twice, in every language, without an end of its own', async () => {
    const world = await demo();
    await act(world, 'grant-moderator', { moderator: 'mo' });
    const mo = someone('mo', 'moderator');
    expect(await act(world, 'post-update', emergency, mo)).toBe('an emergency is for organizers to post');
    expect(await act(world, 'post-update', { ...emergency, confirmed: false })).toMatch(/confirmed/);
    expect(await act(world, 'post-update', { ...emergency, expiresAt: '2099-01-01T00:00:00Z' })).toMatch(/15 minutes/);
    const both = { title: 'SREcon Demo', timeZone: 'Europe/Dublin', languages: ['en', 'de'] };
    await act(world, 'amend-conference', both);
    expect(await act(world, 'post-update', emergency)).toMatch(/de is missing/);
    const texts = { en: 'Leave.', de: 'Raus.' };
    const id = await posted(world, { ...emergency, texts });
    expect(await act(world, 'retract-update', { update: id }, mo)).toBe('an emergency is for organizers to retract');
    expect(await act(world, 'renew-emergency', { update: id })).toBe('ok');
    expect(await act(world, 'renew-emergency', { update: await posted(world) })).toBe('only an emergency is renewed');
  });

  it('a moderator of a session tells that session and crew, and nobody else', async () => {
    const world = await demo();
    await act(world, 'grant-moderator', { moderator: 'mo', sessions: ['s1'] });
    const mo = someone('mo', 'moderator');
    const to = (audience: object) => act(world, 'post-update', { texts: { en: 'Hello' }, audience }, mo);
    expect(await to({ to: 'sessions', sessions: ['s1'] })).toBe('ok');
    expect(await to({ to: 'crew' })).toBe('ok');
    expect(await to({ to: 'sessions', sessions: ['s1', 's2'] })).toMatch(/no grant/);
    expect(await to({ to: 'all' })).toMatch(/a grant for all sessions/);
    const id = await posted(world, { audience: { to: 'sessions', sessions: ['s1'] } });
    const wider = { update: id, texts: { en: 'Hi' }, audience: { to: 'all' } };
    expect(await act(world, 'amend-update', wider, mo)).toMatch(/a grant for all sessions/);
  });

  it('refuses rooms and sessions that are not there, ends in the past, texts that are none', async () => {
    const world = await demo();
    for (const [data, why] of [
      [{ audience: { to: 'rooms', rooms: ['nowhere'] } }, 'there is no such room'],
      [{ audience: { to: 'sessions', sessions: ['nothing'] } }, 'there is no such session'],
      [{ expiresAt: '2026-11-23T08:00:00Z' }, 'it would be expired already'],
      [{ texts: {} }, 'texts'],
      [{ texts: { 'not a language': 'x' } }, 'texts.not a language'],
    ] as const)
      expect([data, await act(world, 'post-update', { texts: { en: 'x' }, ...data })]).toEqual([data, why]);
  });
});

describe('what is to be said here and now', () => {
  const T0 = Date.parse('2026-11-23T09:00:00.000Z');
  const minutes = (count: number) => T0 + count * 60_000;
  const iso = (count: number) => new Date(minutes(count)).toISOString();
  const one = (id: string, changes: Partial<UpdateDocument> = {}): UpdateDocument => ({
    id,
    texts: { en: id, de: `${id} (de)` },
    severity: 'info',
    audience: { to: 'all' },
    expiresAt: null,
    url: null,
    sponsor: null,
    drill: false,
    state: 'posted',
    postedAt: iso(0),
    changedAt: null,
    confirmedAt: iso(0),
    ...changes,
  });

  it('an emergency holds for 15 minutes from when it was last confirmed', () => {
    const fire = one('fire', { severity: 'emergency', confirmedAt: iso(10) });
    expect(viewUpdates([fire], {}, minutes(24)).emergency).toBe(fire);
    expect(viewUpdates([fire], {}, minutes(25)).emergency).toBeNull();
    expect(viewUpdates([fire], {}, minutes(25)).news).toEqual([]);
  });

  it('who has been out of touch for longer than it holds reads "unconfirmed": it may be over, or renewed', () => {
    const fire = one('fire', { severity: 'emergency', confirmedAt: iso(10) });
    expect(unconfirmed([fire], minutes(20), minutes(24))).toBeNull(); // It still holds.
    expect(unconfirmed([fire], minutes(20), minutes(25))).toBe(fire);
    expect(unconfirmed([fire], null, minutes(25))).toBeNull(); // In touch: it was not renewed, so it is over.
    expect(unconfirmed([fire], minutes(26), minutes(40))).toBeNull(); // It had run out while they were in touch.
    const over = one('over', { severity: 'emergency', state: 'retracted', confirmedAt: iso(10) });
    expect(unconfirmed([over, one('news')], minutes(20), minutes(25))).toBeNull();
  });

  it('after its retraction "all clear" stands for five minutes, unless another holds', () => {
    const over = one('over', { severity: 'emergency', state: 'retracted', texts: {}, changedAt: iso(10) });
    expect(viewUpdates([over], {}, minutes(14)).allClear).toBe(over);
    expect(viewUpdates([over], {}, minutes(15)).allClear).toBeNull();
    const again = one('again', { severity: 'emergency', confirmedAt: iso(11) });
    expect(viewUpdates([over, again], {}, minutes(12))).toMatchObject({ allClear: null, emergency: { id: 'again' } });
  });

  it('news are for their rooms and sessions, most severe first, until they expire or are retracted', () => {
    const all = [
      one('old'),
      one('new', { postedAt: iso(1) }),
      one('urgent', { severity: 'urgent' }),
      one('gone', { state: 'retracted' }),
      one('brief', { expiresAt: iso(5) }),
      one('here', { audience: { to: 'rooms', rooms: ['a'] } }),
      one('there', { audience: { to: 'rooms', rooms: ['b'] } }),
      one('session', { audience: { to: 'sessions', sessions: ['s1'] } }),
    ];
    const ids = (place: object, now: number) => viewUpdates(all, place, now).news.map(({ id }) => id);
    expect(ids({ room: 'a', session: 's2' }, minutes(4))).toEqual(['urgent', 'new', 'old', 'brief', 'here']);
    expect(ids({ room: 'a', session: 's1' }, minutes(5))).toEqual(['urgent', 'new', 'old', 'here', 'session']);
  });

  it('reads in the first language it has', () => {
    expect(textOf(one('x'), ['fr', 'de'])).toEqual({ language: 'de', text: 'x (de)' });
    expect(textOf(one('x', { texts: { nl: 'hoi' } }), ['fr'])).toEqual({ language: 'nl', text: 'hoi' });
    expect(textOf(one('x', { texts: {} }), ['fr'])).toBeNull();
  });
});
