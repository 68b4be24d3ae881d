import { describe, expect, it } from '@jest/globals';
import type { ConferenceFeed } from '#libs/feed';
import { seen } from './seen.js';

/** A replica at a head of an epoch, which becomes another one once it has settled. */
function feedAt(epoch: string, head: number, then?: readonly [epoch: string, head: number]): ConferenceFeed {
  let now = [epoch, head] as const;
  return {
    get epoch() {
      return now[0];
    },
    reached: async (position: number) => position <= now[1],
    settled: async () => {
      if (then) now = then;
      return then !== undefined;
    },
  } as unknown as ConferenceFeed;
}

describe('what a command has seen', () => {
  it('[C2] is a position, or a cursor of the same epoch', async () => {
    await seen(feedAt('e', 10), 10, 1);
    await seen(feedAt('e', 10), ['e', 10, 'proof'], 1);
    await expect(seen(feedAt('e', 10), 11, 1)).rejects.toMatchObject({ code: 103 });
    await expect(seen(feedAt('e', 10), ['e', 11], 1)).rejects.toMatchObject({ code: 103 });
  });

  it('[C2] of another epoch it asks for the state of now, and waits for no position that will not come', async () => {
    await seen(feedAt('e', 10, ['e', 10]), ['before the restore', 900], 1);
    await seen(feedAt('e', 10, ['later', 20]), ['later', 20], 1);
    await expect(seen(feedAt('e', 10, ['later', 20]), ['later', 21], 1)).rejects.toMatchObject({ code: 103 });
    await expect(seen(feedAt('e', 10), ['later', 1], 1)).rejects.toMatchObject({ code: 103 });
  });
});
