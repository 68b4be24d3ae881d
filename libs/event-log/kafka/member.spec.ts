/** What no broker can be made to do on purpose: events of kafkajs in an order that only bad luck brings. */
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Kafka } from 'kafkajs';
import { until } from '../../../test/support/process.js';
import { silent as logger } from '../../../test/support/silent.js';
import { Liveness } from './liveness.js';
import { Member } from './member.js';
import type { PinnedTopic } from './pinned-topic.js';
import { ReadMarks } from './read-marks.js';
import type { Slot } from './slot.js';

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

function group() {
  const slots = new Map<number, Slot>();
  const alarms = new Map<string, string>();
  let low = 0n;
  const topic = {
    name: 'events',
    watermarks: async () => ({ low, high: 10n }),
    physical: (_partition: number, offset: bigint) => offset,
  } as unknown as PinnedTopic;
  let claimed: bigint | null = 5n;
  const consumer = { claim: async () => claimed, consume: async () => null, holds: () => true, lost: () => undefined };
  const build = () => {
    const listeners = new Map<string, (event: { payload: { memberAssignment: Record<string, number[]> } }) => void>();
    const kafkajs = {
      events: {
        GROUP_JOIN: 'join',
        REBALANCING: 'rebalancing',
        HEARTBEAT: 'heartbeat',
        FETCH: 'fetch',
        CRASH: 'crash',
      },
      on: (name: string, listener: () => void) => listeners.set(name, listener),
      pause: () => undefined,
      resume: () => undefined,
      seek: () => undefined,
      disconnect: async () => undefined,
    };
    const member = new Member({
      kafka: { consumer: () => kafkajs } as unknown as Kafka,
      topic,
      group: 'fold',
      marks: new ReadMarks(topic, 'fold', logger),
      consumer,
      slots,
      verify: async () => undefined,
      logger,
      timing: { sessionMs: 3_000, heartbeatMs: 200 },
      partitionsAtOnce: 1,
      liveness: new Liveness({}),
      onSign: () => undefined,
      onAlarm: (place, reason) => (reason === null ? alarms.delete(place) : alarms.set(place, reason)),
    });
    ends.push(() => member.close());
    const fire = (name: string, events: number[] = []) =>
      listeners.get(name)?.({ payload: { memberAssignment: { events } } });
    const settled = () => Promise.all([...slots.values()].map(({ turn }) => turn));
    return { member, fire, settled };
  };
  const truncate = (to: bigint) => {
    low = to;
  };
  const takeAway = () => {
    claimed = null;
  };
  return { build, slots, alarms, truncate, takeAway };
}

describe('a member', () => {
  it('one that has ended touches nothing of its successor, whatever kafkajs still says', async () => {
    const { build, slots } = group();
    const old = build();
    await old.member.close();
    const { member, fire, settled } = build();
    fire('join', [0]);
    await settled();
    expect(slots.get(0)?.next).toBe(5n);
    for (const late of ['join', 'rebalancing', 'heartbeat']) old.fire(late, [0, 1]);
    await settled();
    expect(slots.get(0)?.next).toBe(5n);
    expect([...member.assigned()]).toEqual([[0, 0]]);
    expect([...old.member.assigned()]).toEqual([]);
  });

  it('speaks of a stopped partition only while it is its own', async () => {
    const { build, alarms, truncate, takeAway } = group();
    const { fire, settled } = build();
    truncate(7n);
    fire('join', [0, 1]);
    await settled();
    expect([...alarms.keys()]).toEqual(['partition 0', 'partition 1']);
    takeAway();
    await until('it says no more', () => alarms.size === 0);
  });

  it('says for how long a claim has been due while a batch of an earlier member hangs', async () => {
    const { build, slots } = group();
    const { member, fire } = build();
    fire('join', [0]);
    const slot = slots.get(0);
    if (slot) slot.dueSince -= 40_000;
    expect(member.assigned().get(0)).toBeGreaterThanOrEqual(40_000);
  });
});
