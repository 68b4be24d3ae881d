import { afterEach, describe, expect, it } from '@jest/globals';
import type { FeedStats } from '#libs/feed';
import type { PartitionStatus } from '#libs/projector';
import { until } from '../../test/support/process.js';
import { createHealth, type ProcessHealth } from './health.js';

const WEDGED_MS = 100;
const AWAY = 60_000;

describe('health', () => {
  let health: ProcessHealth | undefined;
  afterEach(() => health?.close());

  function process(role: string, over: Partial<PartitionStatus> = {}) {
    const partition: PartitionStatus = {
      partition: 3,
      owned: true,
      next: 5n,
      high: 5n,
      folded: 5,
      waitsMs: 0,
      unclaimedMs: 0,
      error: null,
      stopped: false,
      ...over,
    };
    const away: { database: number; log: number; problem?: string; isReached: boolean; unowned: number[] } = {
      database: 0,
      log: 0,
      isReached: false,
      unowned: [],
    };
    const made = createHealth({
      role,
      feed: {
        idle: () => away.database,
        failure: () => (away.database > 0 && !away.isReached ? 'the database cannot be read (ECONNREFUSED)' : null),
        oldest: () => 700,
        stats: () => ({}) as FeedStats,
      },
      reachesDatabase: async () => away.isReached,
      projector:
        role === 'gateway'
          ? undefined
          : {
              status: () => [partition],
              reading: () => ({ silentMs: away.log, alarms: [], assigned: new Map([[3, 0]]) }),
              unowned: () => away.unowned,
            },
      sockets: { stats: () => ({}) },
      database: () => away.problem,
      wedgedMs: WEDGED_MS,
    });
    health = made;
    return { health: made, away };
  }

  it.each(['all', 'projector', 'gateway'])('%s: without a database it is not ready, and alive', (role) => {
    const { health: one, away } = process(role, { waitsMs: AWAY, high: 9n });
    away.database = AWAY;
    expect(one.ready().ok).toBe(false);
    expect(one.alive().ok).toBe(true);
  });

  it.each(['database', 'log'] as const)(
    'the time in which the %s is away does not count as standing still',
    async (what) => {
      const { health: one, away } = process('projector', { waitsMs: AWAY, high: 9n });
      away[what] = AWAY;
      expect(one.alive().ok).toBe(true);
      away[what] = 0;
      expect(one.alive().ok).toBe(true);
      await until('it still stands when it has had its time', () => !one.alive().ok);
    },
  );

  it('a partition of ours that nobody claims is wedged, an idle one is not', () => {
    expect(process('projector', { owned: false, unclaimedMs: AWAY }).health.alive()).toMatchObject({
      ok: false,
      details: { wedged: [3] },
    });
    expect(process('projector').health.alive().ok).toBe(true);
  });

  it('a projector says nothing of an age, for it loads no conference', () => {
    expect(process('projector').health.alive().details).not.toHaveProperty('ageMs');
    expect(process('all').health.alive().details).toHaveProperty('ageMs', 700);
  });

  it('a broker that is away takes a projector out, and leaves pages with those who serve them', () => {
    const alone = process('projector');
    alone.away.log = AWAY;
    expect(alone.health.ready().ok).toBe(false);
    const all = process('all');
    all.away.log = AWAY;
    expect(all.health.ready().ok).toBe(true);
  });

  it.each(['all', 'projector', 'gateway'])(
    'case S27: %s: a tail that hangs while the database answers another connection is not excused',
    async (role) => {
      const { health: one, away } = process(role);
      away.database = AWAY;
      expect(one.alive().ok).toBe(true);
      away.isReached = true;
      await until('it has hung long enough', () => !one.alive().ok);
      expect(one.alive().details).toMatchObject({ tailWedged: true });
    },
  );

  it.each(['all', 'projector', 'gateway'])('case V55: %s: without a database /readyz says why', (role) => {
    const { health: one, away } = process(role);
    away.database = AWAY;
    expect(one.ready().details).toMatchObject({
      errors: [{ error: 'nothing was read for 60 s: the database cannot be read (ECONNREFUSED)' }],
    });
  });

  it('case C1: a partition that no projector owns takes the projectors out, and says which', () => {
    const { health: one, away } = process('projector');
    away.unowned.push(5);
    expect(one.ready()).toMatchObject({
      ok: false,
      details: { unowned: [5], errors: [{ partition: 5, error: 'no projector owns the partition' }] },
    });
  });

  it('case C2: clients are sent to a gateway without a database, and to none that is about to stop', () => {
    const { health: one, away } = process('gateway');
    away.database = AWAY;
    expect(one.takesClients().ok).toBe(true);
    one.drain();
    expect(one.takesClients().ok).toBe(false);
  });

  it('a drain ends readiness', () => {
    const { health: one } = process('gateway');
    expect(one.ready().ok).toBe(true);
    one.drain();
    expect(one.ready().ok).toBe(false);
  });

  it.each(['53100', '57P03', '28P01', '42501'])(
    'case R10: a partition that stands still because of %s is not ready, and alive: a restart would mend nothing',
    (error) => {
      const { health: one } = process('all', { waitsMs: AWAY, high: 9n, error });
      expect(one.alive().ok).toBe(true);
      expect(one.ready()).toMatchObject({ ok: false, details: { errors: [{ partition: 3, error }] } });
      expect(process('all', { waitsMs: AWAY, high: 9n, error: '42703' }).health.alive().ok).toBe(false);
    },
  );

  it('case R10: it names a full disk, told by the database or by a batch', () => {
    expect(process('all', { error: '53100' }).health.ready().details).toHaveProperty('database', 'disk is full');
    const { health: one, away } = process('all');
    expect(one.ready().details).not.toHaveProperty('database');
    away.problem = 'disk is full: 0 MB free';
    expect(one.ready()).toMatchObject({ ok: false, details: { database: 'disk is full: 0 MB free' } });
    expect(one.alive().ok).toBe(true);
  });
});
