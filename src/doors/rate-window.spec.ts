import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Refusal } from '#libs/protocol';
import { RateWindows } from './rate-window.js';

describe('rate windows', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  const refusalOf = (act: () => void): Refusal | undefined => {
    try {
      act();
    } catch (error) {
      return error as Refusal;
    }
    return undefined;
  };

  it('case R7: a wall clock that is an hour ahead and then put right locks nobody out for longer than the window', () => {
    let monotonic = 1_000;
    const wall = jest.spyOn(Date, 'now').mockReturnValue(Date.parse('2026-11-27T13:00:00Z'));
    const windows = new RateWindows({ points: 2, perSeconds: 60 }, { now: () => monotonic });
    windows.spend('ann');
    windows.spend('ann');
    wall.mockReturnValue(Date.parse('2026-11-27T12:00:00Z'));
    monotonic += 10_000;
    expect(refusalOf(() => windows.spend('ann'))).toMatchObject({ refusal: 'rate-limited', retryAfter: 50_000 });
    monotonic += 50_001;
    expect(refusalOf(() => windows.spend('ann'))).toBeUndefined();
  });

  it('case R7: a wall clock that jumps ahead opens no window before its time', () => {
    const monotonic = 1_000;
    const wall = jest.spyOn(Date, 'now').mockReturnValue(Date.parse('2026-11-27T12:00:00Z'));
    const windows = new RateWindows({ points: 1, perSeconds: 60 }, { now: () => monotonic });
    windows.spend('ann');
    wall.mockReturnValue(Date.parse('2026-11-27T13:00:00Z'));
    expect(refusalOf(() => windows.spend('ann'))).toMatchObject({ retryAfter: 60_000 });
    expect(refusalOf(() => windows.spend('ben'))).toBeUndefined();
  });

  it('I9: what is given back can be spent again, in the window it was taken from', () => {
    let monotonic = 1_000;
    const windows = new RateWindows({ points: 1, perSeconds: 60 }, { now: () => monotonic });
    windows.spend('ann');
    windows.refund('ann');
    windows.refund('ann');
    windows.spend('ann');
    expect(refusalOf(() => windows.spend('ann'))).toBeInstanceOf(Refusal);
    monotonic += 60_001;
    expect(refusalOf(() => windows.spend('ann'))).toBeUndefined();
  });
});
