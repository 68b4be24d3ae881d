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
      { room: 'b', before: [{ room: 'a' }] },
      { room: 'a', before: [{ room: 'b' }] },
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

  it('pushes the conference’s day and no other: to its day change, late sessions included', async () => {
    const world = await demo();
    for (const [id, start, end] of [
      ['night', '2026-11-24T03:00:00Z', '2026-11-24T03:30:00Z'],
      ['tomorrow', '2026-11-24T04:00:00Z', '2026-11-24T04:30:00Z'],
    ])
      await act(world, 'schedule-session', { id, title: 'Late', room: 'a', start, end });
    await act(world, 'delay-session', { session: 's1', expectedStart: '2026-11-23T12:00:00Z' });
    world.now = new Date('2026-11-23T11:50:00Z');
    await act(world, 'delay-room', { room: 'a', minutes: 10 });
    const expected = (id: string) => session(world, id)?.expectedStart;
    expect([expected('s1'), expected('s2'), expected('night'), expected('tomorrow')]).toEqual([
      '2026-11-23T12:10:00.000Z',
      null,
      '2026-11-24T03:10:00.000Z',
      null,
    ]);
    expect(await act(world, 'delay-room', { room: 'nowhere', minutes: 10 })).toBe('there is no such room');
  });

  it('one runs in a room: of two starts at once the first wins; no reopening or moving beside another', async () => {
    const world = await demo();
    const elsewhere = { ...organizer, actor: 'eve' };
    await world.send('start-session', { session: 's1' });
    await world.send('start-session', { session: 's2' }, elsewhere);
    await world.fold();
    expect(session(world, 's2')?.state).toBe('scheduled');
    expect(world.document('me/eve', 'outcomes/last')).toMatchObject({
      list: [{ outcome: 'no-effect', because: 'another session is running in this room' }],
    });
    await act(world, 'start-session', { session: 's2', endOther: true });
    expect(await act(world, 'reopen-session', { session: 's1' })).toBe('another session is running in this room');
    await act(world, 'start-session', { session: 's3' });
    const there = { room: 'a', start: '2026-11-23T09:00:00Z', end: '2026-11-23T09:45:00Z' };
    expect(await act(world, 'reschedule-session', { session: 's3', ...there })).toBe(
      'another session is running in that room',
    );
  });

  it('a moderator ends another session only with a grant for it', async () => {
    const world = await demo();
    await act(world, 'grant-moderator', { moderator: 'mo', sessions: ['s2'] });
    const mo = someone('mo', 'moderator');
    await act(world, 'start-session', { session: 's1' });
    expect(await act(world, 'start-session', { session: 's2', endOther: true }, mo)).toMatch(/no grant/);
    await act(world, 'grant-moderator', { moderator: 'mo', sessions: ['s1', 's2'] });
    expect(await act(world, 'start-session', { session: 's2', endOther: true }, mo)).toBe('ok');
  });

  it('refuses instants that no calendar of a conference has', async () => {
    const world = await demo();
    for (const expectedStart of ['9999-12-31T23:59:59-01:00', '1066-10-14T09:00:00Z', 'soon'])
      expect(await act(world, 'delay-session', { session: 's1', expectedStart })).toMatch(/^expectedStart/);
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

describe('imports and the organizer', () => {
  const facts = {
    kind: 'talk',
    title: 'Session s1',
    subtitle: null,
    abstract: null,
    speakers: [],
    track: null,
    language: null,
    url: null,
  };
  const source = { ...facts, id: 's1', room: 'a', start: '2026-11-23T09:30:00Z', end: '2026-11-23T10:15:00Z' };

  it('a session moved by hand stays where it is, until the source’s value is accepted', async () => {
    const world = await demo();
    const moved = { session: 's1', room: 'b', start: '2026-11-23T11:00:00Z', end: '2026-11-23T11:45:00Z' };
    await act(world, 'reschedule-session', moved);
    await act(world, 'import-sessions', { sessions: [source] });
    expect(session(world, 's1')).toMatchObject({ room: 'b', pinned: true });
    await act(world, 'import-sessions', { sessions: [source], override: true });
    expect(session(world, 's1')).toMatchObject({
      room: 'a',
      planned: { start: '2026-11-23T09:30:00.000Z' },
      pinned: false,
    });
    await act(world, 'import-sessions', { sessions: [{ ...source, room: 'b' }] });
    expect(session(world, 's1')).toMatchObject({ room: 'b' });
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
