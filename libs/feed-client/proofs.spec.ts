import { describe, expect, it } from '@jest/globals';
import { type Beacon, ContentSum, type Entry, type Frame } from '#libs/protocol';
import { ChannelCopy } from './channel-copy.js';
import { type Effect, FeedState } from './feed-state.js';

/** An entry and its mark. */
type Marked = readonly [key: string, version: number, body: object | null, mark?: string | undefined];

const frame = (from: number | null, to: number, entries: readonly Marked[], proof?: string): Frame => ({
  epoch: 'e',
  channel: 'c',
  from,
  to,
  entries: entries.map(([key, version, body]): Entry => [key, version, body]),
  marks: entries.map(([, , , mark = '']) => mark),
  ...(proof === undefined ? {} : { proof }),
});
const beacon = (head: number, sum: number, proof = `p${head}`): Beacon => ({
  epoch: 'e',
  at: 1_000_000,
  head,
  proof,
  age: 100,
  interval: 2_000,
  channels: { c: 4 },
  sums: { c: sum },
});
function sumOf(entries: readonly Marked[]): number {
  const sum = new ContentSum();
  for (const [key, version, , mark = ''] of entries) sum.add(key, version, mark);
  return sum.value;
}
const ENTRIES: readonly Marked[] = [
  ['a', 4, {}, 'm4'],
  ['b', 3, {}, 'm3'],
];
const RIGHT = sumOf(ENTRIES);

function live(cls: 'screen' | 'phone'): FeedState {
  const state = new FeedState(cls);
  state.follow('c', 0);
  state.start();
  state.opening(0);
  state.connected(0);
  state.frame(frame(null, 10, ENTRIES, 'p10'), 0);
  return state;
}
const only = <K extends Effect['do']>(effects: readonly Effect[], kind: K) =>
  effects.filter((effect): effect is Extract<Effect, { do: K }> => effect.do === kind);

describe('proofs of history', () => {
  it('[F8] a cursor carries the proof of its frame, and then of the beacon that completed it', () => {
    const copy = new ChannelCopy();
    copy.frame(frame(null, 10, ENTRIES, 'p10'));
    expect(copy.cursor).toEqual(['e', 10, 'p10']);
    expect(copy.beacon({ epoch: 'e', head: 12, proof: 'p12' }, 4)).toBe('current');
    expect(copy.cursor).toEqual(['e', 12, 'p12']);
    // An older gateway has none.
    copy.frame(frame(12, 13, []));
    expect(copy.cursor).toEqual(['e', 13]);
  });

  it('[F8] at one head with two proofs, or ahead of a gateway that follows it, a copy is resumed', () => {
    const copy = new ChannelCopy();
    copy.frame(frame(null, 10, ENTRIES, 'p10'));
    expect(copy.beacon({ epoch: 'e', head: 10, proof: 'another' }, 4)).toBe('resume');
    expect(copy.beacon({ epoch: 'e', head: 9, proof: 'p9' }, 4)).toBe('resume');
    expect(copy.cursor).toEqual(['e', 10, 'p10']);
  });
});

describe('sums of content', () => {
  it('[B4] a sum that was kept with each frame is the one of what is there, whatever came and went', () => {
    for (let seed = 1; seed <= 50; seed++) {
      const copy = new ChannelCopy();
      copy.frame(frame(null, 0, []));
      for (let to = 1; to < 60; to++) {
        const entries = Array.from({ length: (seed * to) % 4 }, (_, index): Marked => {
          const key = `k${(to * seed + index * 7) % 13}`;
          return (to + index + seed) % 3 === 0 ? [key, to, null] : [key, to, {}, `m${to}`];
        });
        copy.frame(frame(to - 1, to, entries));
        copy.frame(frame(to - 1, to, entries));
      }
      const there = [...copy.documents].map(([key, { version, body, mark }]): Marked => [key, version, body, mark]);
      expect(copy.beacon({ epoch: 'e', head: 59 }, 59, sumOf(there))).toBe('current');
      expect(copy.beacon({ epoch: 'e', head: 59 }, 59, sumOf(there) + 1)).toBe('wrong');
    }
  });

  it('[B4] is compared only where both speak of the same: not while the copy is behind, or ahead of the beacon', () => {
    const state = live('screen');
    expect(only(state.beacon({ ...beacon(12, 1), channels: { c: 11 } }, 0, 1), 'report')).toEqual([]);
    expect(only(state.beacon(beacon(9, 1), 0, 2), 'report')).toEqual([]);
    expect(only(state.beacon({ ...beacon(10, 1), sums: {} }, 0, 3), 'report')).toEqual([]);
  });

  it.each([
    ['screen', 1_000],
    ['phone', 30_000],
  ] as const)(
    'a wrong copy of a %s is not called current, and is replaced within %d ms, at a moment of its own',
    (cls, within) => {
      const state = live(cls);
      expect(state.beacon(beacon(10, RIGHT), 0, 0)).toEqual([{ do: 'notify' }]);
      const effects = state.beacon(beacon(11, RIGHT + 1), 0, 2_000, 0.5);
      expect(only(effects, 'report')).toEqual([{ do: 'report', mismatch: { channel: 'c', to: 10, again: false } }]);
      expect(state.phase).toBe('catching-up');
      expect(only(state.beacon(beacon(11, RIGHT + 1), 0, 2_001, 0.5), 'report')).toEqual([]);
      const due = 2_000 + within / 2;
      for (let now = 3_000; now < due; now += 1_000) state.beacon(beacon(11, RIGHT + 1), 0, now, 0.5);
      expect(state.tick(due - 1)).toEqual([]);
      expect(state.tick(due)).toEqual([{ do: 'subscribe', channels: { c: null } }]);
      // Until the snapshot comes, what is there stays.
      expect(state.channels.get('c')?.documents.size).toBe(2);
      const [first = ['a', 4, {}]] = ENTRIES;
      state.frame(frame(null, 11, [first], 'p11'), due + 10);
      state.beacon(beacon(11, sumOf([first])), 0, due + 20);
      expect(state.status(due + 20).state).toBe('live');
    },
  );

  it('[B4] at most one snapshot a minute; a copy that it did not mend is reported once and left', () => {
    const state = live('screen');
    const report = (now: number, sum: number) => only(state.beacon(beacon(10, sum), 0, now), 'report')[0]?.mismatch;
    const healed = (now: number) => {
      const asked = only(state.tick(now), 'subscribe').length === 1;
      if (asked) state.frame(frame(null, 10, ENTRIES, 'p10'), now);
      return asked;
    };
    expect(report(0, 1)).toMatchObject({ again: false });
    expect(healed(1_000)).toBe(true);
    expect(report(2_000, 1)).toMatchObject({ again: true });
    for (const now of [4_000, 6_000, 70_000]) expect([report(now, 1), healed(now + 1)]).toEqual([undefined, false]);
    expect(state.status(70_000).state).toBe('live');
    // It agreed in between, so something else is wrong now; long enough ago for another try.
    expect(report(71_000, RIGHT)).toBeUndefined();
    expect(report(72_000, 2)).toMatchObject({ again: false });
    expect(healed(72_500)).toBe(true);
    expect(report(73_000, RIGHT)).toBeUndefined();
    expect(report(74_000, 3)).toMatchObject({ again: false });
    for (let now = 76_000; now < 132_000; now += 2_000) {
      report(now, 3);
      expect(healed(now + 1)).toBe(false);
    }
    expect(healed(132_500)).toBe(true);
  });
});
