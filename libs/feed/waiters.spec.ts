import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MAX_WAITERS_PER_CONFERENCE, Waiters } from './waiters.js';

const LONG = 60_000;

describe('waiters', () => {
  it('case S18: each step looks at those whom it lets go and at one more, however many wait', async () => {
    let looks = 0;
    const waiters = new Waiters((at, value) => {
      looks++;
      return at <= value;
    });
    const all = Array.from({ length: 5_000 }, (_, at) => waiters.wait(at, LONG));
    for (let value = 0; value < 100; value++) waiters.reach(value);
    expect(looks).toBe(200);
    expect(waiters.size).toBe(4_900);
    waiters.end();
    expect((await Promise.all(all)).filter(Boolean)).toHaveLength(100);
  });

  it('case V17: of those who are met by one step desks are let go first, each in the order of what they wait for', async () => {
    const waiters = new Waiters((at, value) => at <= value);
    const order: string[] = [];
    const all = [3, 1, 2, 9].flatMap((at) =>
      [false, true].map(async (isDesk) => {
        await waiters.wait(at, LONG, isDesk);
        order.push(`${isDesk ? 'desk' : 'vote'} ${at}`);
      }),
    );
    waiters.reach(3);
    await Promise.all(all.slice(0, 6));
    expect(order).toEqual(['desk 1', 'desk 2', 'desk 3', 'vote 1', 'vote 2', 'vote 3']);
    waiters.end();
    await Promise.all(all);
  });

  it('case S18: whatever is waited for in whatever order, those who are met are let go, and only those', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(50), { maxLength: 60 }), fc.nat(50), async (offsets, head) => {
        const waiters = new Waiters((at, value) => at <= value);
        const all = offsets.map((at) => waiters.wait(at, LONG));
        waiters.reach(head);
        expect(waiters.size).toBe(offsets.filter((at) => at > head).length);
        waiters.end();
        expect(await Promise.all(all)).toEqual(offsets.map((at) => at <= head));
      }),
      { numRuns: 200 },
    );
  });

  it('I9: who waits in vain leaves nothing behind, and beyond the bound nobody waits', async () => {
    const waiters = new Waiters((at, value) => at <= value);
    const early = [waiters.wait(7, LONG), waiters.wait(9, LONG)];
    expect(await waiters.wait(8, 1)).toBe(false);
    expect(waiters.size).toBe(2);
    while (waiters.size < MAX_WAITERS_PER_CONFERENCE) void waiters.wait(10, LONG);
    expect(await waiters.wait(7, LONG)).toBe(false);
    waiters.reach(9);
    expect(await Promise.all(early)).toEqual([true, true]);
    waiters.end();
    expect(waiters.size).toBe(0);
  });
});
