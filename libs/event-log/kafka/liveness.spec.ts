import { EventEmitter } from 'node:events';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Consumer, Kafka } from 'kafkajs';
import { until } from '../../../test/support/process.js';
import { silent as logger } from '../../../test/support/silent.js';
import { Liveness } from './liveness.js';
import type { PinnedTopic } from './pinned-topic.js';
import { superviseMember } from './subscription.js';

const EVENTS = {
  GROUP_JOIN: 'join',
  REBALANCING: 'rebalancing',
  HEARTBEAT: 'heartbeat',
  FETCH: 'fetch',
  CRASH: 'crash',
};

/** A consumer of which only the events are heard; heartbeats and fetches go on until its end, as in kafkajs. */
function fakeConsumer() {
  const emitter = new EventEmitter();
  const beating = setInterval(() => {
    emitter.emit('heartbeat');
    emitter.emit('fetch');
  }, 20);
  const consumer = {
    events: EVENTS,
    on: (name: string, listener: (...args: unknown[]) => void) => emitter.on(name, listener),
    connect: async () => undefined,
    subscribe: async () => undefined,
    run: async () => undefined,
    pause: () => undefined,
    resume: () => undefined,
    seek: () => undefined,
    disconnect: async () => clearInterval(beating),
  };
  const fire = (name: string, events: readonly number[] = []) =>
    emitter.emit(name, { payload: { memberAssignment: { events } } });
  return { consumer: consumer as unknown as Consumer, fire, end: () => clearInterval(beating) };
}

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** What builds one consumer after another for the log. */
function supervise(limits: { readonly joinMs: number; readonly stalledMs: number }) {
  const built: ReturnType<typeof fakeConsumer>[] = [];
  const consumer = () => {
    const one = fakeConsumer();
    built.push(one);
    ends.push(one.end);
    return one.consumer;
  };
  const topic = {
    name: 'events',
    watermarks: async () => ({ low: 0n, high: 0n }),
    physical: (_: number, at: bigint) => at,
  };
  const subscription = superviseMember({
    kafka: { consumer } as unknown as Kafka,
    topic: topic as unknown as PinnedTopic,
    group: 'fold',
    consumer: { claim: async () => 0n, consume: async () => null, holds: () => true, lost: () => undefined },
    verify: async () => undefined,
    logger,
    timing: { sessionMs: 3_000, heartbeatMs: 200 },
    partitionsAtOnce: 1,
    ...limits,
  });
  ends.push(() => subscription.close());
  return { subscription, built };
}

describe('a consumer whose group rebalances', () => {
  it('case C1: after REBALANCING, heartbeats and fetches without a GROUP_JOIN are no sign of life: the log’s consumer is built again', async () => {
    const { subscription, built } = supervise({ joinMs: 300, stalledMs: 60_000 });
    await until('the first consumer', () => built.length === 1);
    built[0]?.fire('join', [0, 1]);
    await until('it owns', () => subscription.status().assigned.size === 2);
    built[0]?.fire('rebalancing');
    expect(subscription.status().assigned.size).toBe(0);
    await until('the second consumer', () => built.length === 2, 5_000);
    built[1]?.fire('join', [0, 1]);
    await until('it owns again', () => subscription.status().assigned.size === 2);
    expect(subscription.status().silentMs).toBeLessThan(1_000);
  });

  it('case C1: while a join is due, silence grows although heartbeats are answered, so that a projector is not ready', async () => {
    const { subscription, built } = supervise({ joinMs: 60_000, stalledMs: 60_000 });
    await until('the first consumer', () => built.length === 1);
    built[0]?.fire('join', [0]);
    built[0]?.fire('rebalancing');
    await until('silence grows', () => subscription.status().silentMs > 200);
    expect(built).toHaveLength(1);
  });

  it('one that joins again in time is kept', async () => {
    const { subscription, built } = supervise({ joinMs: 1_500, stalledMs: 60_000 });
    await until('the first consumer', () => built.length === 1);
    built[0]?.fire('join', [0]);
    built[0]?.fire('rebalancing');
    built[0]?.fire('join', [0]);
    const joinedAt = performance.now();
    await until('longer than a join may take', () => performance.now() - joinedAt > 2_000);
    expect(built).toHaveLength(1);
    expect(subscription.status().assigned.size).toBe(1);
  });

  it('case S26: the intake’s consumer is judged by the same events', async () => {
    const { consumer, fire, end } = fakeConsumer();
    ends.push(end);
    const ended = new AbortController();
    const liveness = new Liveness({ joinMs: 300, stalledMs: 60_000 });
    liveness.follow(consumer, ended.signal);
    const stalled = liveness.untilStalled(ended.signal);
    fire('join', [0]);
    fire('rebalancing');
    expect(await stalled).toBe('the group rebalances and assigned nothing for 300 ms');
  });
});
