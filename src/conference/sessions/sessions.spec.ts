import { describe, expect, it } from '@jest/globals';
import { Refusal } from '#libs/protocol';
import { createWorld, openDemo, organizer, someone, type World } from '../../../test/support/world.js';
import { capabilities } from '../capabilities.js';
import type { SessionDocument } from './documents.js';

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

const session = (world: World, id: string) => world.document<SessionDocument>('schedule', `session/${id}`);

describe('sessions', () => {
  it('planned, expected and actual times stay apart', async () => {
    const world = await demo();
    await act(world, 'delay-session', {
      session: 's1',
      expectedStart: '2026-11-23T10:10:00+01:00',
      reason: 'the train',
    });
    await act(world, 'start-session', { session: 's1' });
    await act(world, 'end-session', { session: 's1' });
    expect(session(world, 's1')).toMatchObject({
      state: 'ended',
      planned: { start: '2026-11-23T09:00:00.000Z' },
      expectedStart: '2026-11-23T09:10:00.000Z',
      because: 'the train',
      actual: { start: expect.any(String), end: expect.any(String) },
    });
  });

  it('refuses illegal moves by name', async () => {
    const world = await demo();
    for (const [type, data, why] of [
      ['end-session', { session: 's1' }, 'it is not running'],
      ['restore-session', { session: 's1' }, 'it is not cancelled'],
      ['start-session', { session: 'nowhere' }, 'there is no such session'],
      [
        'delay-session',
        { session: 's1', expectedStart: '2026-11-23T08:00:00Z' },
        'it would start before its planned time; reschedule it',
      ],
      [
        'schedule-session',
        { title: 'x', room: 'a', start: '2026-11-23T09:00:00Z', end: '2026-11-23T08:00:00Z' },
        'it would end before it starts',
      ],
      [
        'schedule-session',
        { title: 'x', room: 'z', start: '2026-11-23T09:00:00Z', end: '2026-11-23T10:00:00Z' },
        'there is no such room',
      ],
    ] as const) {
      expect([type, await act(world, type, data)]).toEqual([type, why]);
    }
    await act(world, 'start-session', { session: 's1' });
    expect(await act(world, 'start-session', { session: 's1' })).toBe('already running');
    expect(await act(world, 'cancel-session', { session: 's1' })).toBe('it is not to come');
    await act(world, 'end-session', { session: 's1' });
    expect(await act(world, 'end-session', { session: 's1' })).toBe('already ended');
  });

  it('starting while another runs in the room needs an explicit end of the other, in one command', async () => {
    const world = await demo();
    await act(world, 'start-session', { session: 's1' });
    expect(await act(world, 'start-session', { session: 's2' })).toMatch(/another session is running/);
    expect(await act(world, 'start-session', { session: 's2', endOther: true })).toBe('ok');
    expect([session(world, 's1')?.state, session(world, 's2')?.state]).toEqual(['ended', 'running']);
  });

  it('a swap is both or neither, and says where each was before', async () => {
    const world = await demo();
    await act(world, 'swap-sessions', { first: 's1', second: 's3' });
    expect([session(world, 's1'), session(world, 's3')]).toMatchObject([
      { room: 'b', before: { room: 'a' } },
      { room: 'a', before: { room: 'b' } },
    ]);
  });

  it('pushing a room’s day is one command of many events', async () => {
    const world = await demo();
    await act(world, 'delay-room', { room: 'a', minutes: 10 });
    expect([session(world, 's1')?.expectedStart, session(world, 's2')?.expectedStart]).toEqual([
      '2026-11-23T09:10:00.000Z',
      '2026-11-23T10:10:00.000Z',
    ]);
  });

  it.each([
    ['start-session', {}, 'retract-start', {}],
    ['cancel-session', { reason: 'illness' }, 'restore-session', {}],
    ['publish-recording', { url: 'https://example.org/v' }, 'retract-recording', {}],
    [
      'delay-session',
      { expectedStart: '2026-11-23T09:30:00Z' },
      'delay-session',
      { expectedStart: '2026-11-23T09:00:00Z' },
    ],
  ])('I10: %s is taken back by its inverse', async (type, data, inverse, back) => {
    const world = await demo();
    const before = { ...session(world, 's1') };
    expect(await act(world, type, { session: 's1', ...data })).toBe('ok');
    expect(session(world, 's1')).not.toEqual(before);
    expect(await act(world, inverse, { session: 's1', ...back })).toBe('ok');
    expect(session(world, 's1')).toEqual(before);
  });

  it('an import changes only what differs, by instants and not by strings', async () => {
    const world = await demo();
    const facts = {
      kind: 'talk',
      title: 'Session s1',
      subtitle: null,
      abstract: null,
      speakers: ['A speaker'],
      track: null,
      language: null,
      url: null,
    };
    const same = { ...facts, id: 's1', room: 'a', start: '2026-11-23T10:00:00+01:00', end: '2026-11-23T09:45:00Z' };
    expect(await world.send('import-sessions', { sessions: [same] })).toEqual([]);
    expect(await world.send('import-sessions', { sessions: [{ ...same, title: 'Another', room: 'b' }] })).toHaveLength(
      2,
    );
  });
});

describe('I10: the list of events', () => {
  const events = capabilities.flatMap((capability) => capability.events);

  it('each names its inverse, which exists, or says why there is none; each example is valid', () => {
    const types = new Set(events.map(({ type }) => type));
    for (const { type, inverse, schema, example } of events) {
      expect([type, typeof inverse === 'string' ? types.has(inverse) : inverse.none.length > 0]).toEqual([type, true]);
      expect([type, schema.safeParse(example).success]).toEqual([type, true]);
    }
  });

  it('an attendee may give only the commands meant for attendees, a screen none', async () => {
    const world = await demo();
    for (const { type, by, example } of capabilities.flatMap(({ commands }) => commands)) {
      for (const role of ['attendee', 'screen', 'moderator'] as const) {
        const answer = await world.send(type, example, someone('x', role));
        const refused = answer instanceof Refusal && answer.code >= 300;
        expect([type, role, refused]).toEqual([type, role, !(by.includes(role) && role !== 'moderator')]);
      }
    }
  });
});
