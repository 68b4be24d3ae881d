/** What no broker can be made to do on purpose: events of kafkajs in an order that only bad luck brings. */
import { describe, expect, it } from '@jest/globals';
import type { Kafka } from 'kafkajs';
import { silent as logger } from '../../../test/support/silent.js';
import { Member } from './member.js';
import type { PinnedTopic } from './pinned-topic.js';
import type { Slot } from './slot.js';

function group() {
  const slots = new Map<number, Slot>();
  const alarms = new Map<string, string>();
  let low = 0n;
  const topic = {
    name: 'events',
    watermarks: async () => ({ low, high: 10n }),
    physical: (_partition: number, offset: bigint) => offset,
  } as unknown as PinnedTopic;
  const consumer = { claim: async () => 5n, consume: async () => null, holds: () => true, lost: () => undefined };
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
      groupId: 'fold',
      consumer,
      slots,
      verify: async () => undefined,
      logger,
      timing: { sessionMs: 3_000, heartbeatMs: 200 },
      partitionsAtOnce: 1,
      onSign: () => undefined,
      onAlarm: (place, reason) => (reason === null ? alarms.delete(place) : alarms.set(place, reason)),
    });
    const fire = (name: string, events: number[] = []) =>
      listeners.get(name)?.({ payload: { memberAssignment: { events } } });
    const settled = () => Promise.all([...slots.values()].map(({ turn }) => turn));
    return { member, fire, settled };
  };
  const truncate = (to: bigint) => {
    low = to;
  };
  return { build, slots, alarms, truncate };
}

describe('a member of the group', () => {
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
    const { build, alarms, truncate } = group();
    const { fire, settled } = build();
    truncate(7n);
    fire('join', [0, 1]);
    await settled();
    expect([...alarms.keys()]).toEqual(['partition 0', 'partition 1']);
    fire('join', [1]);
    expect([...alarms.keys()]).toEqual(['partition 1']);
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
