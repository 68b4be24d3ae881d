import { describe, expect, it } from '@jest/globals';
import { ShownSample } from './shown-sample.js';

const frame = (to: number, more: object = {}) => ({
  epoch: 'e1',
  channel: 'schedule',
  from: to - 1,
  to,
  entries: [],
  appendedAt: 1_000,
  ...more,
});
const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;

describe('the sample of what was shown', () => {
  it('tells once of a change, with its trace and the time to the glass', () => {
    const sample = new ShownSample('screen', () => 0);
    sample.arrived(frame(7, { traceparent }), 100);
    expect(sample.painted(130)).toEqual({ channel: 'schedule', to: 7, appendedAt: 1_000, took: 30, traceparent });
    expect(sample.painted(140)).toBeNull();
  });

  it('tells at most once a second, and nothing of snapshots and of frames without a time', () => {
    const sample = new ShownSample('desk', () => 0);
    sample.arrived(frame(1, { from: null }), 0);
    sample.arrived(frame(1, { appendedAt: undefined }), 0);
    expect(sample.painted(1)).toBeNull();
    sample.arrived(frame(2), 10);
    expect(sample.painted(20)?.to).toBe(2);
    sample.arrived(frame(3), 900);
    expect(sample.painted(910)).toBeNull();
    sample.arrived(frame(4), 1_021);
    expect(sample.painted(1_030)?.to).toBe(4);
  });

  it('tells nothing of a page that was hidden meanwhile', () => {
    const sample = new ShownSample('screen', () => 0);
    sample.arrived(frame(1), 0);
    expect(sample.painted(10_001)).toBeNull();
  });

  it('asks chance on phones', () => {
    const told = (chance: number) => {
      const sample = new ShownSample('phone', () => chance);
      sample.arrived(frame(1), 0);
      return sample.painted(1) !== null;
    };
    expect([told(0.049), told(0.051)]).toEqual([true, false]);
  });
});
