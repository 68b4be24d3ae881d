import { beforeEach, describe, expect, it } from '@jest/globals';
import { commandIdOf, LogUnavailable } from '#libs/event-log';
import { createDoors, type Doors, recordsOf } from '../../../test/support/doors.js';
import { CONFERENCE, openDemo, organizer, someone } from '../../../test/support/world.js';
import { capabilities } from '../../conference/capabilities.js';
import type { Identity } from '../../conference/capability.js';

const ask = (id: string, text = 'Why?') => ({ id, type: 'ask-question', data: { session: 's1', text } });

/** The value again and again, each time with one of its texts, or one more name, that cannot be stored. */
function* withOneBroken(value: unknown): Iterable<unknown> {
  if (typeof value === 'string') yield `${value}BROKEN\ud800`;
  if (typeof value !== 'object' || value === null) return;
  for (const [name, inner] of Object.entries(value)) {
    for (const broken of withOneBroken(inner)) {
      const copy = structuredClone(value) as Record<string, unknown>;
      copy[name] = broken;
      yield copy;
    }
  }
  if (!Array.isArray(value)) yield { ...value, 'BROKEN\u0000': 1 };
}

/** The value again and again, each time with one of its texts replaced by characters that leave no mark. */
function* withOneInvisible(value: unknown): Iterable<unknown> {
  if (typeof value === 'string') yield '\u200b\u2067\u3164\u2069';
  if (typeof value !== 'object' || value === null) return;
  for (const [name, inner] of Object.entries(value))
    for (const invisible of withOneInvisible(inner))
      yield Array.isArray(value)
        ? value.map((one, index) => (String(index) === name ? invisible : one))
        : { ...value, [name]: invisible };
}

describe('the door for commands', () => {
  let doors: Doors;
  const send = (message: unknown, by: Identity = organizer) => doors.commands.handle(by, CONFERENCE, message);
  const shownTexts = () => JSON.stringify([...doors.world.store.documents.values()]);
  const codeOf = async (message: unknown, by?: Identity) => {
    const ack = await send(message, by);
    return 'refusal' in ack ? ack.refusal.code : ack.outcome;
  };

  beforeEach(async () => {
    doors = createDoors();
    await openDemo(doors.world);
    await doors.follow();
  });

  it('answers with position, outcome and the id of what was made', async () => {
    const ack = await send(ask('1'), someone('ann'));
    expect(ack).toEqual({
      position: doors.world.store.heads.get(CONFERENCE),
      outcome: 'applied',
      subject: expect.any(String),
      epoch: 'e1',
    });
    const { subject } = ack as { subject: string };
    const shown = [...doors.world.store.documents].filter(([name]) => name.includes(subject));
    expect(shown.length).toBeGreaterThan(0);
  });

  it('answers with the id of the thing it names, also where another one’s event comes first', async () => {
    const ids: string[] = [];
    for (const who of ['ann', 'ben']) {
      const { subject } = (await send(ask('1'), someone(who))) as { subject: string };
      await send({ id: `approve-${who}`, type: 'approve-question', data: { question: subject } });
      ids.push(subject);
    }
    const take = (question?: string) => send({ id: `take-${question}`, type: 'take-question', data: { question } });
    for (const subject of ids) expect(await take(subject)).toMatchObject({ outcome: 'applied', subject });
    await send({ id: 's1', type: 'start-session', data: { session: 's1' } });
    const next = { id: 's2', type: 'start-session', data: { session: 's2', endOther: true } };
    expect(await send(next)).toMatchObject({ outcome: 'applied', subject: 's2' });
  });

  it('I13: the same command again, while it may still be decided, keeps its first position and outcome', async () => {
    const first = await send(ask('1'), someone('ann'));
    expect(await send(ask('1'), someone('ann'))).toEqual(first);
    expect(await send(ask('2'), someone('ann'))).not.toEqual(first);
  });

  it('I13: a retry that newer state would refuse gets its first outcome, and nothing is appended', async () => {
    const close = { id: '7', type: 'close-conference', data: {} };
    const first = await send(close);
    const before = doors.appended();
    expect(await send(close)).toEqual(first);
    expect(doors.appended()).toBe(before);
    expect(await codeOf({ ...close, id: '8' })).toBe(208);
  });

  it('I13: a retry that finds nothing left to do is told that it acted, not "no effect"', async () => {
    const rooms = { id: '9', type: 'define-rooms', data: { rooms: [{ id: 'c', name: 'Hall C' }] } };
    const first = await send(rooms);
    expect(await send(rooms)).toMatchObject({ outcome: 'applied', position: 'position' in first && first.position });
    expect(await send({ ...rooms, id: '10' })).toMatchObject({ outcome: 'no-effect', position: null });
  });

  it('I13: one sender’s id is another command for somebody else', async () => {
    const [ann, ben] = [await send(ask('1'), someone('ann')), await send(ask('1'), someone('ben'))];
    expect('position' in ann && 'position' in ben && ann.position !== ben.position).toBe(true);
  });

  it('[C2] case V38: an id used again for something else is refused, never answered with what was done first', async () => {
    const at = { room: 'a', start: '2026-11-23T12:00:00Z', end: '2026-11-23T12:45:00Z' };
    const plan = (id: string) => ({ id: '20', type: 'schedule-session', data: { id, title: id, ...at } });
    const first = await send(plan('s7'));
    expect(first).toMatchObject({ outcome: 'applied', subject: 's7' });
    const before = doors.appended();
    const others = [plan('s8'), { id: '20', type: 'cancel-session', data: { session: 's7' } }, { ...ask('20') }];
    for (const other of others) expect(await send(other)).toMatchObject({ refusal: { code: 213 } });
    expect(doors.appended()).toBe(before);
    expect(await send(plan('s7'))).toEqual(first);
    expect(await send({ ...plan('s7'), data: { ...at, title: 's7', id: 's7', speakers: [] } })).toEqual(first);
  });

  it('case V38: another process that never saw the first command refuses its id for something else, too', async () => {
    const first = await send(ask('21', 'Why?'), someone('ann'));
    const elsewhere = createDoors(doors.world);
    await elsewhere.follow();
    const there = (message: unknown) => elsewhere.commands.handle(someone('ann'), CONFERENCE, message);
    expect(await there(ask('21', 'Why not?'))).toMatchObject({ refusal: { code: 213 } });
    expect(await there({ id: '21', type: 'withdraw-question', data: { question: 'q' } })).toMatchObject({
      refusal: { code: 213 },
    });
    expect(await there(ask('21', 'Why?'))).toEqual(first);
  });

  it('case V38: while the projection is behind, the second use of an id is refused all the same', async () => {
    doors.following = false;
    expect(await codeOf(ask('22', 'Why?'), someone('ann'))).toBe('pending');
    expect(await codeOf(ask('22', 'How?'), someone('ann'))).toBe(213);
    expect(await codeOf(ask('22', 'Why?'), someone('ann'))).toBe('pending');
  });

  it('case V38: a command in a log from before digests is answered with its own outcome and subject, whatever is sent under its id', async () => {
    const rooms = [{ type: 'room-filled-up', subject: 'a', stream: 'conference', data: { room: 'a' } }];
    await doors.world.append(rooms, organizer, '24');
    await doors.follow();
    const again = await send({ id: '24', type: 'mark-room-full', data: { room: 'a' } });
    expect(again).toMatchObject({
      outcome: 'applied',
      subject: 'a',
      position: doors.world.store.heads.get(CONFERENCE),
    });
    expect(await send({ id: '24', type: 'start-session', data: { session: 'none' } })).toEqual(again);
  });

  it('[C2] case S25: an id whose command was refused, failed or changed nothing may be used for something else', async () => {
    expect(await codeOf({ id: '23', type: 'start-session', data: { session: 'none' } })).toBe(209);
    const rooms = { id: '23', type: 'define-rooms', data: { rooms: [{ id: 'a', name: 'Hall A', order: 1 }] } };
    expect(await codeOf(rooms)).toBe('no-effect');
    doors.appendFails = new Error('a bug');
    expect(await codeOf({ id: '23', type: 'end-session', data: { session: 's1' } })).not.toBe('applied');
    expect(await codeOf({ id: '23', type: 'start-session', data: { session: 's1' } })).toBe(100);
    doors.appendFails = undefined;
    expect(await codeOf({ id: '23', type: 'start-session', data: { session: 's2' } })).toBe('applied');
  });

  it('case S24: one id is another command in another conference, whatever stands in actor and id', () => {
    const ids = [
      commandIdOf('a', 'b', 'c\nd'),
      commandIdOf('a', 'b\nc', 'd'),
      commandIdOf('a', 'b', 'c","d'),
      commandIdOf('b', 'b', 'c\nd'),
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('I11: what is malformed, unknown, invalid or not allowed has its own number and says no word of the input', async () => {
    let deep: unknown = 1;
    for (let depth = 0; depth < 40; depth++) deep = { deep };
    expect(await codeOf('hello')).toBe(200);
    expect(await codeOf({ id: '1', type: { toString: 1 }, data: {} })).toBe(201);
    expect(await codeOf({ id: '1', type: 'ask-question', data: { deep } })).toBe(206);
    expect(await codeOf({ id: '1' })).toBe(201);
    expect(await codeOf({ id: '1', type: 'dance', data: {} })).toBe(204);
    expect(await codeOf({ id: '1', type: 'close-conference', data: {} }, someone('ann'))).toBe(302);
    const ack = await send({ id: '1', type: 'ask-question', data: { session: 's1', text: 17, secret: 'hunter2' } });
    expect(ack).toMatchObject({ refusal: { code: 201, message: expect.stringContaining('text') } });
    expect(JSON.stringify(ack)).not.toContain('hunter2');
  });

  it('case V29: an id that cannot be stored is refused by its field’s name, for every type of command', async () => {
    for (const { type, example } of capabilities.flatMap(({ commands }) => commands)) {
      for (const id of ['x\ud800', 'x\u0000'])
        expect(await send({ id, type, data: example })).toMatchObject({
          refusal: { code: 201, message: expect.stringContaining(': id: ') },
        });
    }
    expect(await codeOf({ ...ask('1'), reason: 'x\u0000' })).toBe(201);
  });

  it('case V31: no text of any command gets into the log that could not be stored', async () => {
    const before = doors.appended();
    for (const { type, example } of capabilities.flatMap(({ commands }) => commands)) {
      for (const [index, data] of [...withOneBroken(example)].entries()) {
        const ack = await send({ id: `${type}-${index}`, type, data });
        expect([type, ack]).toEqual([type, { refusal: expect.objectContaining({ code: 201 }) }]);
        expect(JSON.stringify(ack)).not.toContain('BROKEN');
      }
    }
    const grant = { moderator: 'mo', sessions: ['s1\ud800'], name: null };
    expect(await send({ id: '1', type: 'grant-moderator', data: grant })).toMatchObject({
      refusal: { code: 201, message: expect.stringContaining(': data.sessions.0: ') },
    });
    expect(doors.appended()).toBe(before);
  });

  it('case V12: a pasted tab, a line break and an open isolate are accepted and tidied; nothing disguises a text', async () => {
    const asked = { ...ask('1'), data: { session: 's1', text: 'Why\tso\r\nslow? \u2067שלום', name: 'A\u202enna' } };
    expect(await send(asked, someone('ann'))).toMatchObject({ outcome: 'applied' });
    expect(shownTexts()).toContain('Why so slow? \u2067שלום\u2069');
    expect(shownTexts()).toContain('Anna');
  });

  it('case V12: text with nothing to see is refused in words that name the field, in every command with a text', async () => {
    let tried = 0;
    for (const { type, example, schema } of capabilities.flatMap(({ commands }) => commands)) {
      for (const data of withOneInvisible(example)) {
        if (!schema.safeParse(data).success) continue;
        tried += 1;
        expect([type, await send({ id: `${type}-${tried}`, type, data })]).toEqual([
          type,
          { refusal: { code: 201, message: expect.stringMatching(/: [a-zA-Z.0-9]+: has nothing to see$/) } },
        ]);
      }
    }
    expect(tried).toBeGreaterThan(15);
  });

  it('a token for one conference opens no other, and an unknown conference is refused', async () => {
    expect(await doors.commands.handle(someone('ann'), 'other', ask('1'))).toMatchObject({ refusal: { code: 303 } });
    expect(await doors.commands.handle(organizer, 'other', ask('1'))).toMatchObject({ refusal: { code: 202 } });
  });

  it('one command makes the conference it is sent to, and waits for it', async () => {
    doors = createDoors();
    const open = { id: '1', type: 'open-conference', data: { title: 'New', timeZone: 'Europe/Dublin' } };
    expect(await send(open)).toMatchObject({ position: 0, outcome: 'applied' });
    expect(await doors.commands.handle(organizer, 'No Slug', open)).toMatchObject({ refusal: { code: 201 } });
  });

  it('I7: a replica older than 5 s, or short of the position the sender has seen, refuses with "try again"', async () => {
    doors.age = 5_001;
    expect(await codeOf(ask('1'))).toBe(103);
    doors.age = 0;
    expect(await codeOf({ ...ask('1'), after: 1_000 })).toBe(103);
    expect(await codeOf({ ...ask('1'), after: 0 })).toBe('applied');
  });

  it('says "pending" until the replica is there; the outcome is known later, to its sender alone', async () => {
    doors.following = false;
    expect(await send(ask('1'), someone('ann'))).toMatchObject({ outcome: 'pending' });
    await expect(doors.commands.outcome(someone('ann'), CONFERENCE, '1')).rejects.toMatchObject({ code: 209 });
    await doors.follow();
    expect(await doors.commands.outcome(someone('ann'), CONFERENCE, '1')).toMatchObject({ outcome: 'applied' });
    await expect(doors.commands.outcome(someone('ben'), CONFERENCE, '1')).rejects.toMatchObject({ code: 209 });
  });

  it('I11: without the log the answer is "try again"; an unknown failure says "internal" and nothing more', async () => {
    doors.appendFails = new LogUnavailable('connection refused');
    expect(await codeOf(ask('1'))).toBe(104);
    doors.appendFails = new Error('relation "secret" does not exist');
    expect(await send(ask('2'))).toEqual({ refusal: { code: 100, message: 'internal' } });
  });

  it('I9: more than the limit of one actor is refused with the time to wait; others go on', async () => {
    for (let turn = 0; turn < 5; turn++) expect(await codeOf(ask(`q${turn}`), someone('ann'))).toBe('applied');
    const ack = await send(ask('q5'), someone('ann'));
    expect(ack).toMatchObject({ refusal: { code: 106, retryAfter: expect.any(Number) } });
    expect(await codeOf(ask('q5'), someone('ben'))).toBe('applied');
  });

  it('case R1: what sets a stream going again, and an erasure, are taken however old the state is', async () => {
    doors.age = 60_000;
    const before = doors.appended();
    await send({ id: 's', type: 'skip-event', data: { offset: 1 } });
    await send({ id: 'e', type: 'erase-attendee', data: { subject: 'ann' } });
    expect(doors.appended()).toBe(before + 2);
    expect(await codeOf(ask('1'), someone('ben'))).toBe(103);
  });

  it('I9: what is told to try again is not counted: an outage locks nobody out for having tried', async () => {
    doors.age = 5_001;
    for (let turn = 0; turn < 10; turn++) expect(await codeOf(ask('1'), someone('ann'))).toBe(103);
    doors.age = 0;
    doors.appendFails = new LogUnavailable('connection refused');
    for (let turn = 0; turn < 10; turn++) expect(await codeOf(ask('1'), someone('ann'))).toBe(104);
    doors.appendFails = Object.assign(new Error('the database is shutting down'), { code: '57P01' });
    for (let turn = 0; turn < 10; turn++) expect(await codeOf(ask('1'), someone('ann'))).toBe(103);
    doors.appendFails = new Error('a bug');
    for (let turn = 0; turn < 10; turn++) expect(await codeOf(ask('1'), someone('ann'))).toBe(100);
    doors.appendFails = undefined;
    for (let turn = 0; turn < 5; turn++) expect(await codeOf(ask(`q${turn}`), someone('ann'))).toBe('applied');
    expect(await codeOf(ask('q5'), someone('ann'))).toBe(106);
  });

  it('I4: commands to a stream that is held for repair are refused with "try again"', async () => {
    await doors.world.log.append(CONFERENCE, recordsOf('not-yet-invented', 'session/s1'));
    await doors.follow();
    expect(await codeOf(ask('1'))).toBe(105);
    expect(await codeOf({ id: '2', type: 'define-rooms', data: { rooms: [{ id: 'c', name: 'Hall C' }] } })).toBe(
      'applied',
    );
  });
});
