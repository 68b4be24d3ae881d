import { describe, expect, it } from '@jest/globals';
import { Refusal } from '#libs/protocol';
import {
  ConferenceLag,
  LAG_TARGET_MS,
  LagControl,
  LEAST_IN_FLIGHT,
  MOST_IN_FLIGHT,
  type Place,
} from './lag-control.js';

/** A conference whose attendees fill it as far as it lets them, at a given lag. */
function crowd(lagMs: number, waitMs = 100) {
  let now = 0;
  const lag = new ConferenceLag({ now: () => now, random: () => 0.5, waitMs });
  const places: Place[] = [];
  const fill = async () => {
    while (lag.inFlight < lag.limit) places.push(await lag.enter());
  };
  return {
    lag,
    fill,
    /** So many windows of 100 ms, in which 50 commands are folded and others come for them. */
    async pass(windows: number) {
      for (let window = 0; window < windows; window++) {
        await fill();
        for (let count = 0; count < 50; count++) {
          now += 2;
          lag.measured(lagMs);
        }
        for (const place of places.splice(0, 50)) place.leave();
      }
    },
  };
}

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'in',
    (error: unknown) => (error as Refusal).code,
  );

describe('lag control', () => {
  it('case V17: while folding takes longer than its target fewer are let in, down to a floor', async () => {
    const { lag, pass } = crowd(LAG_TARGET_MS * 3);
    const first = lag.limit;
    await pass(1);
    expect(lag.limit).toBeLessThan(first);
    await pass(50);
    expect(lag.limit).toBe(LEAST_IN_FLIGHT);
  });

  it('while folding is quick more are let in, up to a ceiling', async () => {
    const { lag, pass } = crowd(LAG_TARGET_MS / 10);
    const first = lag.limit;
    await pass(1);
    expect(lag.limit).toBeGreaterThan(first);
    await pass(400);
    expect(lag.limit).toBe(MOST_IN_FLIGHT);
  });

  it('a conference with few commands keeps its limit however long its neighbours’ storm makes them take', () => {
    let now = 0;
    const lag = new ConferenceLag({ now: () => (now += 10) });
    const first = lag.limit;
    for (let count = 0; count < 1_000; count++) lag.measured(LAG_TARGET_MS * 20);
    expect(lag.limit).toBe(first);
  });

  it('one conference’s storm refuses nobody of another', async () => {
    const control = new LagControl();
    const busy = control.of('busy');
    while (!busy.isFull) void busy.enter().catch(() => undefined);
    expect(control.of('quiet').isFull).toBe(false);
    expect(await codeOf(control.of('quiet').enter())).toBe('in');
  });

  it('who finds no place in time is told how long to wait, and takes none', async () => {
    const { lag, fill } = crowd(10, 20);
    await fill();
    await expect(lag.enter()).rejects.toMatchObject({ code: 101, retryAfter: expect.any(Number) });
    expect(lag.inFlight).toBe(lag.limit);
  });

  it('each that leaves lets one in, and never more than the limit are in flight', async () => {
    const { lag } = crowd(10);
    const places: Place[] = [];
    while (lag.inFlight < lag.limit) places.push(await lag.enter());
    let waited = 0;
    const count = () => {
      waited += 1;
    };
    const waiting = Array.from({ length: 20 }, () => lag.enter().then(count));
    const rest = Promise.allSettled(waiting.slice(10));
    for (const place of places.slice(0, 10)) {
      place.leave();
      place.leave();
      expect(lag.inFlight).toBeLessThanOrEqual(lag.limit);
    }
    await Promise.all(waiting.slice(0, 10));
    expect(waited).toBe(10);
    expect((await rest).every(({ status }) => status === 'rejected')).toBe(true);
  });

  it('the more are turned away for each that is served, the longer they are told to wait, and no two the same', () => {
    let now = 0;
    let random = 0;
    const lag = new ConferenceLag({ now: () => now, random: () => random });
    const before = lag.refusal().retryAfter ?? 0;
    for (let second = 0; second < 10; second++) {
      for (let count = 0; count < 400; count++) lag.refusal();
      now += 1_000;
      for (let count = 0; count < 100; count++) lag.measured(10);
    }
    const after = lag.refusal().retryAfter ?? 0;
    expect(after).toBeGreaterThan(before * 2);
    random = 0.9;
    expect(lag.refusal().retryAfter).toBeGreaterThan(after);
    expect(lag.refusal()).toBeInstanceOf(Refusal);
  });
});
