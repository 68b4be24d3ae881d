import { describe, expect, it } from '@jest/globals';
import type { Beacon, Entry, Frame } from '#libs/protocol';
import { ChannelCopy } from './channel-copy.js';
import { type Effect, FeedState } from './feed-state.js';

const frame = (from: number | null, to: number, entries: readonly Entry[], epoch = 'e'): Frame => ({
  epoch,
  channel: 'c',
  from,
  to,
  entries,
});
const beacon = (over: Partial<Beacon> = {}): Beacon => ({
  epoch: 'e',
  at: 1_000_000,
  head: 10,
  age: 100,
  interval: 2_000,
  channels: { c: 10 },
  ...over,
});
const keys = (copy: ChannelCopy) => Object.fromEntries([...copy.documents].map(([key, { version }]) => [key, version]));

function copyAt10(): ChannelCopy {
  const copy = new ChannelCopy();
  copy.frame(
    frame(null, 10, [
      ['a', 4, {}],
      ['b', 10, {}],
    ]),
  );
  return copy;
}

describe('one channel’s copy', () => {
  it('[F2] a snapshot replaces, of any epoch', () => {
    const copy = copyAt10();
    expect(copy.frame(frame(null, 7, [['z', 3, {}]], 'other'))).toBe('applied');
    expect([keys(copy), copy.cursor]).toEqual([{ z: 3 }, ['other', 7]]);
  });

  it('[F3] what it is complete to already is ignored', () => {
    const copy = copyAt10();
    expect(copy.frame(frame(5, 10, [['a', 9, {}]]))).toBe('ignored');
    expect(keys(copy)).toEqual({ a: 4, b: 10 });
  });

  it('[F4] a gap is resumed and nothing of it applied', () => {
    const copy = copyAt10();
    expect(copy.frame(frame(12, 14, [['a', 13, {}]]))).toBe('resume');
    expect([keys(copy), copy.cursor]).toEqual([{ a: 4, b: 10 }, ['e', 10]]);
  });

  it('[F5] else each entry is applied only if it is newer; a null body removes', () => {
    const copy = copyAt10();
    expect(
      copy.frame(
        frame(2, 12, [
          ['a', 3, {}],
          ['b', 11, null],
          ['c', 12, {}],
        ]),
      ),
    ).toBe('applied');
    expect([keys(copy), copy.cursor]).toEqual([{ a: 4, c: 12 }, ['e', 12]]);
  });

  it('[F6] a frame of another epoch is not applied', () => {
    const copy = copyAt10();
    expect(copy.frame(frame(10, 12, [['a', 12, {}]], 'other'))).toBe('resume');
    expect(keys(copy)).toEqual({ a: 4, b: 10 });
  });
});

/** A screen that follows `c`, complete to 10 and live, at monotonic time 0. */
function live(cls: 'screen' | 'phone' = 'screen'): FeedState {
  const state = new FeedState(cls);
  state.follow('c', 0);
  state.start();
  state.opening(0);
  state.connected(0);
  state.frame(frame(null, 10, []), 0);
  state.beacon(beacon(), 1_000_000, 0);
  return state;
}

const only = <K extends Effect['do']>(effects: readonly Effect[], kind: K) =>
  effects.filter((effect): effect is Extract<Effect, { do: K }> => effect.do === kind);

describe('the receiving side', () => {
  it('[B1] a beacon completes a copy to the head, or has it resumed: behind, of another epoch, or not named', () => {
    const state = live();
    expect(state.beacon(beacon({ head: 20 }), 0, 1_000)).toEqual([{ do: 'notify' }]);
    expect(state.channels.get('c')?.cursor).toEqual(['e', 20]);
    for (const [over, at] of [
      [{ channels: { c: 25 } }, 10_000],
      [{ epoch: 'f' }, 20_000],
      [{ channels: {} }, 30_000],
    ] as const) {
      expect(only(state.beacon(beacon(over), 0, at), 'subscribe')).toEqual([
        { do: 'subscribe', channels: { c: ['e', 20] } },
      ]);
    }
  });

  it('[B1] a private channel is complete while a beacon has named it within 90 s; then it is resumed', () => {
    const state = new FeedState('phone');
    state.follow('c', 0);
    state.follow('me/ann', 0);
    state.start();
    state.opening(0);
    state.connected(0);
    state.frame(frame(null, 10, []), 0);
    state.frame({ ...frame(null, 10, []), channel: 'me/ann' }, 0);
    // Never named on this connection: it may not be followed there.
    expect(only(state.beacon(beacon(), 0, 6_000), 'subscribe')).toMatchObject([{ channels: { 'me/ann': ['e', 10] } }]);
    state.beacon(beacon({ own: { 'me/ann': 7 } }), 0, 7_000);
    for (const now of [20_000, 60_000, 97_000]) {
      expect(only(state.beacon(beacon({ head: 20 }), 0, now), 'subscribe')).toEqual([]);
      expect(state.status(now).state).toBe('live');
    }
    // Nothing was said of it: its cursor stays where it was known to be complete.
    expect(state.channels.get('me/ann')?.cursor).toEqual(['e', 10]);
    expect(only(state.beacon(beacon({ head: 20 }), 0, 97_001), 'subscribe')).toMatchObject([
      { channels: { 'me/ann': ['e', 10] } },
    ]);
    // Changed, and no frame of it has come.
    expect(only(state.beacon(beacon({ own: { 'me/ann': 21 } }), 0, 110_000), 'subscribe')).toHaveLength(1);
  });

  it('[B1] a private channel that waits for an answer is not called complete by a beacon that says nothing of it', () => {
    const state = live('phone');
    state.follow('me/ann', 0);
    state.frame({ ...frame(null, 10, []), channel: 'me/ann' }, 0);
    state.beacon(beacon({ own: { 'me/ann': 10 } }), 0, 1_000);
    state.frame({ ...frame(15, 16, []), channel: 'me/ann' }, 2_000);
    expect(only(state.beacon(beacon(), 0, 8_000), 'subscribe')).toMatchObject([{ channels: { 'me/ann': ['e', 10] } }]);
    state.frame({ ...frame(10, 16, []), channel: 'me/ann' }, 8_100);
    expect(only(state.beacon(beacon(), 0, 14_000), 'subscribe')).toEqual([]);
  });

  it('[B3] cut off while beacons are fresh, it comes back within the spread; after silence or once online within a second', () => {
    const cutOff = (spread: number | undefined, silence: number) => {
      const state = live('phone');
      state.beacon(beacon({ interval: 5_000, ...(spread === undefined ? {} : { spread }) }), 0, 1_000);
      return only(state.disconnected(1, 1_000 + silence), 'connect')[0]?.inMs;
    };
    expect(cutOff(50_000, 3_000)).toBe(50_000);
    expect(cutOff(10, 3_000)).toBe(500);
    expect(cutOff(1e9, 3_000)).toBe(60_000);
    expect(cutOff(undefined, 3_000)).toBe(8_000);
    expect(cutOff(50_000, 12_501)).toBe(1_000);
    const state = live('phone');
    expect(state.wake(1_000, 0, 0.5)).toEqual([]);
    state.disconnected(1, 0);
    expect(state.wake(1_000, 0, 0.5)).toEqual([{ do: 'connect', inMs: 500, renew: false }]);
  });

  it('[B2] I7: silence of 2.5 intervals, or an age above 6 s, is said, and since when', () => {
    const state = live();
    expect(state.status(1).state).toBe('live');
    expect(state.tick(4_900)).toEqual([]);
    expect(state.tick(5_100)).toEqual([{ do: 'notify' }]);
    expect(state.status(5_100)).toMatchObject({ state: 'reconnecting', since: 999_900 });
    expect(state.tick(10_100)).toEqual([{ do: 'disconnect' }]);
    const late = live();
    late.beacon(beacon({ age: 6_500, at: 1_020_000 }), 1_020_000, 2_000);
    expect(late.status(2_000)).toMatchObject({ state: 'late', since: 1_013_500 });
  });

  it('I7: a channel that stays behind is not called live for long, however many beacons come', () => {
    const state = live();
    for (let now = 2_000; now <= 20_000; now += 2_000) state.beacon(beacon({ channels: { c: 15 } }), 0, now);
    expect(state.status(20_000).state).toBe('reconnecting');
  });

  it('[S2] asks in groups of 100, one resume a channel, and again when no answer comes', () => {
    const state = new FeedState('desk');
    for (let number = 0; number < 250; number++) state.follow(`c${number}`, 0);
    state.opening(0);
    expect(only(state.connected(0), 'subscribe').map(({ channels }) => Object.keys(channels).length)).toEqual([
      100, 100, 50,
    ]);
    const one = live();
    expect(only(one.frame(frame(15, 16, []), 0), 'subscribe')).toHaveLength(1);
    expect(only(one.frame(frame(16, 17, []), 100), 'subscribe')).toEqual([]);
    expect(only(one.frame(frame(17, 18, []), 6_000), 'subscribe')).toHaveLength(1);
  });

  it('[D1] leaves within the window it was given, at a moment of its own; a first retry is spread by class', () => {
    expect(only(live().drain(2_000, 0.5), 'connect')).toEqual([{ do: 'connect', inMs: 1_000, renew: false }]);
    expect(only(live('screen').disconnected(0.5), 'connect')[0]?.inMs).toBe(250);
    expect(only(live('phone').disconnected(0.5), 'connect')[0]?.inMs).toBe(4_000);
    const state = live('screen');
    const waits = Array.from({ length: 8 }, () => only(state.disconnected(1), 'connect')[0]?.inMs ?? 0);
    expect(waits.at(-1)).toBe(4_000);
  });

  it('[R1] tries again on 1xx after the time it is told, renews on 301, and does not come back on others', () => {
    expect(only(live().refused({ code: 101, message: '', retryAfter: 3_000 }, 0), 'connect')).toEqual([
      { do: 'connect', inMs: 3_000, renew: false },
    ]);
    expect(only(live().refused({ code: 301, message: '' }, 0), 'connect')).toMatchObject([{ renew: true }]);
    for (const code of [202, 304]) {
      const state = live();
      expect(state.refused({ code, message: 'no' }, 0).map((effect) => effect.do)).toEqual(['disconnect', 'notify']);
      expect([state.status(0).state, state.disconnected(0)]).toEqual(['refused', []]);
    }
  });

  it('a hanging handshake is given up', () => {
    const state = new FeedState('screen');
    state.opening(0);
    expect(state.tick(14_000)).toEqual([]);
    expect(state.tick(16_000)).toEqual([{ do: 'disconnect' }]);
  });

  it('[H4] asks in the handshake with its cursors; on connecting only for what came since, and leaves what nobody wants any more', () => {
    const state = new FeedState('desk');
    for (const channel of ['a', 'b']) state.follow(channel, 0);
    state.opening(0);
    state.channels.get('b')?.frame({ ...frame(null, 7, []), channel: 'b' });
    expect(state.joining(10)).toEqual({ a: null, b: ['e', 7] });
    state.leave('a');
    state.follow('c', 20);
    expect(state.connected(30)).toEqual([
      { do: 'unsubscribe', channels: ['a'] },
      { do: 'subscribe', channels: { c: null } },
      { do: 'notify' },
    ]);
    state.disconnected(0);
    state.opening(1_000);
    expect(Object.keys(state.joining(1_010))).toEqual(['b', 'c']);
  });

  it('[H4] no more in a handshake than in one message; the rest once connected', () => {
    const state = new FeedState('desk');
    for (let one = 0; one < 130; one++) state.follow(`c${one}`, 0);
    state.opening(0);
    expect(Object.keys(state.joining(0))).toHaveLength(100);
    const [rest] = state.connected(10);
    expect(rest).toMatchObject({ do: 'subscribe', channels: { c100: null, c129: null } });
    expect(Object.keys((rest as Extract<Effect, { do: 'subscribe' }>).channels)).toHaveLength(30);
  });
});
