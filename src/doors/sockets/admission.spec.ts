import { describe, expect, it } from '@jest/globals';
import { Admission } from './admission.js';

const limits = { maxSockets: 1_000, reservedShare: 0.1, perSecond: { phone: 100, screen: 50, desk: 50 } };

describe('admission', () => {
  it('[H3] a storm of phones is let in at its pace, and walls and desks are unharmed', () => {
    const admission = new Admission(limits);
    const admitted = Array.from({ length: 3_000 }, (_, index) => admission.admit('phone', 0, index * 0.1)).filter(
      Boolean,
    ).length;
    expect(admitted).toBeGreaterThanOrEqual(200);
    expect(admitted).toBeLessThanOrEqual(260);
    expect([admission.admit('screen', 0, 300), admission.admit('desk', 0, 300)]).toEqual([true, true]);
  });

  it('[H3] phones cannot take the last places', () => {
    const admission = new Admission(limits);
    expect([
      admission.admit('phone', 900, 0),
      admission.admit('screen', 900, 0),
      admission.admit('screen', 1_000, 0),
    ]).toEqual([false, true, false]);
  });
});
