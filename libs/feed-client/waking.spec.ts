import { describe, expect, it } from '@jest/globals';
import type { Beacon, ClientClass } from '#libs/protocol';
import { FeedState } from './feed-state.js';

const MINUTE = 60_000;
/** Wall clock of the device when the last beacon came. */
const WALL = 5_000_000;
const beacon: Beacon = {
  epoch: 'e',
  at: 1_000_000,
  head: 10,
  age: 100,
  interval: 5_000,
  spread: 50_000,
  channels: { c: 10 },
};

/** Live since the monotonic time 1,000. */
function live(cls: ClientClass = 'phone'): FeedState {
  const state = new FeedState(cls);
  state.follow('c', 0);
  state.start();
  state.opening(0);
  state.joining(0);
  state.connected(500, WALL - 500);
  state.frame({ epoch: 'e', channel: 'c', from: null, to: 10, entries: [] }, 900);
  state.beacon(beacon, WALL, 1_000);
  state.tick(1_000, WALL);
  return state;
}

describe('a device that sleeps, or whose clock is set', () => {
  it('case V5, V39: woken after ten minutes during which its monotonic clock stood still, it says so and reconnects at once', () => {
    const state = live();
    expect(state.wake(1_001, WALL + 10 * MINUTE, 1)).toEqual([{ do: 'disconnect' }, { do: 'notify' }]);
    expect(state.status(1_001)).toMatchObject({ state: 'reconnecting', since: 999_900 });
    expect(state.disconnected(1, 1_001, WALL + 10 * MINUTE)).toContainEqual({
      do: 'connect',
      inMs: 1_000,
      renew: false,
    });
  });

  it('case V39: the same where the wall clock stood still, and where both went on', () => {
    for (const [now, wall] of [
      [10 * MINUTE, WALL],
      [10 * MINUTE, WALL + 10 * MINUTE],
    ] as const) {
      const state = live();
      expect(state.wake(now, wall, 1)).toEqual([{ do: 'disconnect' }, { do: 'notify' }]);
      expect(state.status(now).state).toBe('reconnecting');
    }
  });

  it('case V39: woken without any event of the browser, it asks at the next tick and reconnects when nothing comes for a second', () => {
    const state = live();
    const wall = WALL + 10 * MINUTE;
    expect(state.tick(1_400, wall)).toEqual([{ do: 'subscribe', channels: { c: ['e', 10] } }]);
    expect(state.tick(1_900, wall + 500)).toEqual([]);
    expect(state.tick(2_400, wall + 1_000)).toEqual([{ do: 'disconnect' }]);
    expect(state.status(2_400).state).toBe('reconnecting');
  });

  it('case V7, V40: a clock set by seven minutes changes neither the server’s time nor "live", and is asked about once', () => {
    for (const step of [7 * MINUTE, -7 * MINUTE]) {
      const state = live();
      const wall = WALL + step;
      expect(state.tick(1_500, wall)).toEqual([{ do: 'subscribe', channels: { c: ['e', 10] } }]);
      expect(state.status(1_500)).toMatchObject({ state: 'live', serverNow: 1_000_500 });
      state.beacon({ ...beacon, at: 1_000_700 }, wall + 200, 1_700);
      expect(state.tick(2_000, wall + 500)).toEqual([]);
      expect(state.status(6_000)).toMatchObject({ state: 'live', serverNow: 1_005_000 });
    }
  });

  it('case V5: a page that is looked at again while beacons are fresh goes on; one that missed a beacon asks for one', () => {
    const state = live();
    expect(state.wake(3_000, WALL + 2_000, 1)).toEqual([]);
    expect(state.wake(8_000, WALL + 7_000, 1)).toEqual([{ do: 'subscribe', channels: { c: ['e', 10] } }]);
    expect(state.status(8_000).state).toBe('live');
  });

  it('case V6: online again, what waits for its turn or hangs in a handshake begins within a second', () => {
    const waiting = live();
    waiting.disconnected(1, 2_000, WALL + 1_000);
    expect(waiting.wake(60_000, WALL + 60_000, 1)).toEqual([{ do: 'connect', inMs: 1_000, renew: false }]);
    const hanging = live();
    hanging.disconnected(1, 2_000, WALL);
    hanging.opening(10_000);
    expect(hanging.wake(12_000, WALL, 1)).toEqual([]);
    expect(hanging.wake(13_001, WALL, 1)).toEqual([{ do: 'connect', inMs: 1_000, renew: false }]);
  });

  it('[B3] case V6: retries are as wide as the server said that all clients need, and at most 4 s where it is little', () => {
    const windows = (spread: number) => {
      const state = live();
      state.beacon({ ...beacon, spread }, WALL, 1_500);
      return Array.from({ length: 6 }, () => {
        const [effect] = state.disconnected(1, 2_000, WALL + 500);
        state.opening(2_000);
        return effect?.do === 'connect' ? effect.inMs : null;
      });
    };
    expect(windows(40)).toEqual([500, 2_000, 4_000, 4_000, 4_000, 4_000]);
    expect(windows(50_000)).toEqual(Array.from({ length: 6 }, () => 50_000));
  });
});
