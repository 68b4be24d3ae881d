import { beforeEach, describe, expect, it } from '@jest/globals';
import { createDoors, type Doors } from '../../../test/support/doors.js';
import { CONFERENCE, openDemo } from '../../../test/support/world.js';
import { createFreshState } from './fresh-state.js';

describe('events of other programs, while the projection is slow', () => {
  let doors: Doors;
  let counter = 0;

  const take = async (type: string, data: object, sentBefore?: number) => {
    const ack = await doors.commands.takeForeign({
      identity: { actor: 'venue', role: 'producer', conference: CONFERENCE },
      conference: CONFERENCE,
      message: { id: String(++counter), type, data },
      sender: 'venue',
      ...(sentBefore === undefined ? {} : { sentBefore }),
    });
    return 'refusal' in ack ? ack.refusal.code : ack.outcome;
  };
  const start = () => take('start-session', { session: 's1' });
  const end = (sentBefore?: number) => take('end-session', { session: 's1' }, sentBefore);

  beforeEach(async () => {
    doors = createDoors();
    await openDemo(doors.world);
    await doors.follow();
    doors.following = false;
  });

  it('one is not refused because the replica has not seen the one before it', async () => {
    expect(await start()).toBe('pending');
    expect(await end()).toBe('pending');
    await doors.follow();
    const document = doors.world.store.documents.get(`${CONFERENCE} schedule session/s1`);
    expect(document?.body).toMatchObject({ state: 'ended' });
  });

  it('nor if both were sent long before either was read', async () => {
    const sent = performance.now() - 1_000;
    await start();
    expect(await end(sent)).toBe('pending');
  });

  it('nor taken for one that changes nothing', async () => {
    await take('mark-room-full', { room: 'a' });
    await doors.follow();
    await take('mark-room-free', { room: 'a' });
    expect(await take('mark-room-full', { room: 'a' })).toBe('pending');
  });

  it('if the state it needs does not come, it is to be sent again', async () => {
    await start();
    doors.settling = false;
    expect(await end()).toBe(103);
  });

  it('case H4: what the replica learns while a “no” is being looked up does not make that “no” a fresh one', async () => {
    const full = { type: 'room-filled-up', subject: 'a', stream: 'conference', data: { room: 'a' } };
    await doors.world.append([full]);
    doors.age = 1_000;
    doors.whileLooking = async () => {
      doors.age = 0;
      await doors.follow();
    };
    expect(await take('mark-room-free', { room: 'a' }, performance.now() - 500)).toBe('pending');
    await doors.follow();
    expect(doors.world.document('schedule', 'room/a')).toMatchObject({ full: false });
  });

  it('case H4: hundreds of events in one batch are decided in their order, each on all before it, whenever the projection goes on', async () => {
    const sent = performance.now() - 1;
    let turn = 0;
    doors.whileLooking = async () => {
      if (turn % 7 < 3) await doors.follow();
    };
    const refused: (string | number)[] = [];
    for (; turn < 300; turn++) {
      if (turn % 13 === 0) await doors.follow();
      const outcome = await take(turn % 2 === 0 ? 'mark-room-full' : 'mark-room-free', { room: 'a' }, sent);
      if (outcome !== 'pending' && outcome !== 'applied') refused.push(outcome);
    }
    expect(refused).toEqual([]);
    await doors.follow();
    expect(doors.world.document('schedule', 'room/a')).toMatchObject({ full: false });
  }, 60_000);

  it('case S15: a position from before a restore is not waited for', async () => {
    const state = createFreshState();
    const applied = { outcome: 'applied', position: 7, subject: 's1' } as const;
    const pending = { outcome: 'pending', position: 900, subject: 's1' } as const;
    const feed = (epoch: string, head: number) => ({
      conference: CONFERENCE,
      epoch,
      age: () => 0,
      reached: async (offset: number) => head >= offset,
      settled: async () => true,
    });
    await state.decide(feed('before', 899), 0, async () => pending);
    await expect(state.decide(feed('before', 899), 0, async () => applied)).rejects.toMatchObject({ code: 103 });
    expect(await state.decide(feed('restored', 500), 0, async () => applied)).toEqual(applied);
    expect(await state.decide(feed('before', 899), 0, async () => applied)).toEqual(applied);
  });

  it('one that the replica is younger than is refused at once', async () => {
    doors.settling = false;
    expect(await end(performance.now() - 1)).toBe(208);
    doors.age = 1_000;
    expect(await end(performance.now() - 500)).toBe(103);
  });
});
