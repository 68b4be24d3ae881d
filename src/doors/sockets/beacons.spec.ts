import { beforeEach, describe, expect, it } from '@jest/globals';
import type { ConferenceFeed } from '#libs/feed';
import type { Beacon, ClientClass } from '#libs/protocol';
import { Beacons, OWN_EVERY_MS } from './beacons.js';
import type { Follower } from './follower.js';
import { Followers } from './followers.js';
import type { Packet } from './writing/fan-out.js';

const bodyOf = ({ text }: Packet): Beacon => JSON.parse(text.slice(1))[1];

describe('beacons', () => {
  const changes = new Map<string, number>();
  const feed = {
    epoch: 'e',
    head: 10,
    proof: 'p10',
    age: () => 40.4,
    lastChange: (name: string) => changes.get(name) ?? -1,
    sum: (name: string) => (changes.get(name) ?? 0) * 100,
  };
  let followers: Followers;
  let beacons: Beacons;

  beforeEach(() => {
    changes.clear();
    feed.head = 10;
    followers = new Followers();
    beacons = new Beacons(feed as unknown as ConferenceFeed, followers.sets, () => 50_000);
  });

  function follower(channels: readonly string[], cls: ClientClass = 'phone'): Follower {
    const made = {
      cls,
      channels: new Map(),
      set: null,
      ownChange: -1,
      ownAt: Number.NEGATIVE_INFINITY,
    } as unknown as Follower;
    followers.add(made);
    for (const channel of channels) {
      followers.follow(made, channel);
      const following = made.channels.get(channel);
      if (following) followers.place(following, 10);
    }
    return made;
  }

  it('case V23: 20,000 phones that follow the same channels and their own share one packet', () => {
    changes.set('schedule', 7).set('updates', 9);
    const phones = Array.from({ length: 20_000 }, (_, index) => follower(['updates', `me/p${index}`, 'schedule']));
    // The first beacon names what is theirs; from then on there is nothing to add.
    for (const phone of phones) beacons.packetFor(phone, 0);
    const packets = new Set(phones.map((phone) => beacons.packetFor(phone, 1)));
    expect(packets.size).toBe(1);
    expect(followers.sets.size).toBe(1);
    expect(bodyOf([...packets][0] as Packet)).toEqual({
      epoch: 'e',
      at: expect.any(Number),
      head: 10,
      proof: 'p10',
      age: 40,
      interval: 5_000,
      spread: 50_000,
      channels: { schedule: 7, updates: 9 },
      sums: { schedule: 700, updates: 900 },
    });
    for (const phone of phones) followers.remove(phone);
    expect(followers.sets.size).toBe(0);
  });

  it('case V23: a private channel is named when it has changed, and once a minute', () => {
    const phone = follower(['schedule', 'me/ann']);
    const own = (now: number) => bodyOf(beacons.packetFor(phone, now)).own;
    changes.set('me/ann', 4);
    expect(bodyOf(beacons.packetFor(phone, 0))).toMatchObject({ own: { 'me/ann': 4 }, ownSums: { 'me/ann': 400 } });
    expect(own(5_000)).toBeUndefined();
    changes.set('me/ann', 11);
    expect(own(10_000)).toEqual({ 'me/ann': 11 });
    expect(own(10_000 + OWN_EVERY_MS - 1)).toBeUndefined();
    expect(own(10_000 + OWN_EVERY_MS)).toEqual({ 'me/ann': 11 });
  });

  it('a beacon names only channels that have a place, at the head of the moment', () => {
    const desk = follower(['schedule', 'updates', 'me/ann'], 'desk');
    const body = (now: number) => bodyOf(beacons.packetFor(desk, now));
    expect(Object.keys(body(0).channels)).toEqual(['schedule', 'updates']);
    for (const channel of ['updates', 'me/ann']) {
      const following = desk.channels.get(channel);
      if (following) followers.place(following, null);
    }
    desk.ownChange = -1;
    expect(body(1)).toMatchObject({ channels: { schedule: 0 }, interval: 2_000 });
    expect(Object.keys(body(1).channels)).toEqual(['schedule']);
    expect(body(1).own).toBeUndefined();
    feed.head = 12;
    expect(body(2).head).toBe(12);
    followers.unfollow(desk, 'schedule');
    expect(body(3).channels).toEqual({});
  });
});
