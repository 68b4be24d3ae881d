import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LANES, type Lane, LaneQueue } from './lanes.js';

function taken(queue: LaneQueue<string>, count = Number.POSITIVE_INFINITY): string[] {
  const items: string[] = [];
  for (let next = queue.next(); next && items.length < count; next = queue.next()) {
    items.push(next.item);
    if (items.length === count) break;
  }
  return items;
}

describe('lanes', () => {
  it('case V17: a desk’s command overtakes all votes that wait', () => {
    const queue = new LaneQueue<string>();
    for (let vote = 0; vote < 1_000; vote++) queue.push('attendee', `vote ${vote}`);
    queue.push('interactive', 'desk');
    expect(queue.next()).toEqual({ item: 'desk', lane: 'interactive' });
  });

  it('of 21 that are taken 16 are desks’, 4 attendees’ and 1 is bulk while all lanes are full: none starves', () => {
    const queue = new LaneQueue<string>();
    for (let number = 0; number < 100; number++) for (const lane of LANES) queue.push(lane, lane);
    const counts = Object.groupBy(taken(queue, 63), (lane) => lane);
    expect(LANES.map((lane) => counts[lane]?.length)).toEqual([48, 12, 3]);
  });

  it('whatever comes in whatever order, each lane keeps its order and nothing is lost', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...LANES), { maxLength: 200 }), (lanes) => {
        const queue = new LaneQueue<string>();
        for (const [index, lane] of lanes.entries()) queue.push(lane, `${lane} ${index}`);
        const out = taken(queue);
        const of = (lane: Lane, items: readonly string[]) => items.filter((item) => item.startsWith(lane));
        const all = lanes.map((lane, index) => `${lane} ${index}`);
        expect(out).toHaveLength(lanes.length);
        for (const lane of LANES) expect(of(lane, out)).toEqual(of(lane, all));
      }),
    );
  });

  it('a lane whose first item does not fit holds up no other lane, and is not overtaken by what stands behind it', () => {
    const queue = new LaneQueue<string>();
    queue.push('attendee', 'large');
    queue.push('attendee', 'small');
    queue.push('bulk', 'import');
    const fits = (item: string) => item !== 'large';
    expect(queue.next(fits)?.item).toBe('import');
    expect(queue.next(fits)).toBeUndefined();
    expect(queue.next()?.item).toBe('large');
  });
});
