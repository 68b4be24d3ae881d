import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openDemo, until } from '../../test/support/process.js';
import { type Running, startRunning } from '../../test/support/running.js';

describe('as_of', () => {
  let running: Running;
  beforeAll(async () => {
    running = await startRunning();
    await openDemo(running.organizer);
  }, 60_000);
  afterAll(() => running.stop());

  it('I7: goes on under steady load, so that a busy feed is not taken for a dead one', async () => {
    const feed = await running.service.feed.open('demo');
    if (typeof feed === 'string') throw new Error(feed);
    let going = true;
    let oldest = 0;
    const works = [0, 1, 2, 3].map(async (worker) => {
      for (let number = 0; going; number++) {
        await running.organizer.send('schedule-session', {
          id: `w${worker}-${number}`,
          title: 'x',
          room: 'b',
          start: '2026-12-01T10:00:00Z',
          end: '2026-12-01T11:00:00Z',
        });
        oldest = Math.max(oldest, feed.feed.age());
      }
    });
    const began = performance.now();
    await until('six seconds of load', () => performance.now() - began > 6_000);
    going = false;
    await Promise.all(works);
    feed.release();
    expect(oldest).toBeLessThan(4_500);
  }, 60_000);
});
