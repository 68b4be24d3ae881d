import { beforeEach, describe, expect, it } from '@jest/globals';
import type { ConferenceFeed } from '#libs/feed';
import { Refusal } from '#libs/protocol';
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

  it('one that the replica is younger than is refused at once', async () => {
    doors.settling = false;
    expect(await end(performance.now() - 1)).toBe(208);
    doors.age = 1_000;
    expect(await end(performance.now() - 500)).toBe(103);
  });

  it('case S15: a position from before a restore makes no refused event wait for it', async () => {
    const fresh = createFreshState();
    let settles = 0;
    const feed = { conference: CONFERENCE, epoch: 'e', head: 5, age: () => 0, settled: async () => ++settles > 0 };
    const at = (over: Partial<typeof feed> = {}) => ({ ...feed, ...over }) as unknown as ConferenceFeed;
    const refuse = async () => Promise.reject(new Refusal('rule'));
    await fresh.decide(at(), 0, async () => ({ position: 900, outcome: 'pending' }));
    await expect(fresh.decide(at(), 0, refuse)).rejects.toMatchObject({ code: 208 });
    expect(settles).toBe(1);
    await expect(fresh.decide(at({ epoch: 'restored' }), 0, refuse)).rejects.toMatchObject({ code: 208 });
    expect(settles).toBe(1);
  });
});
