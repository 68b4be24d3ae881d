import { describe, expect, it } from '@jest/globals';
import { Admission, MAX_UNVERIFIED_SOCKETS, UNVERIFIED_MS } from './admission.js';

const limits = { maxSockets: 1_000, reservedShare: 0.1, perSecond: { phone: 100, screen: 50, desk: 50 } };
const unhurried = { ...limits, perSecond: { phone: 1e6, screen: 1e6, desk: 1e6 } };

describe('admission', () => {
  it('[H3] a storm of phones is let in at its pace, and walls and desks are unharmed', () => {
    const admission = new Admission({ ...limits, maxSockets: 10_000 });
    const admitted = Array.from({ length: 3_000 }, (_, index) => admission.admit({}, 'phone', index * 0.1)).filter(
      Boolean,
    ).length;
    expect(admitted).toBeGreaterThanOrEqual(200);
    expect(admitted).toBeLessThanOrEqual(260);
    expect([admission.admit({}, 'screen', 300), admission.admit({}, 'desk', 300)]).toEqual([true, true]);
  });

  it('[H3] case R6: phones cannot take the last places, with tickets or without; a place that is left is free again', () => {
    const admission = new Admission(unhurried);
    const phones = Array.from({ length: 1_000 }, () => ({}));
    // Half of them without a ticket: what their tokens say counts.
    const come = (phone: object, index: number) =>
      index % 2 === 0
        ? admission.admit(phone, 'phone', 0)
        : admission.admit(phone, null, 0) && admission.verify(phone, 'phone');
    expect(phones.map(come).filter(Boolean)).toHaveLength(900);
    const staff = Array.from({ length: 101 }, () => ({}));
    expect(staff.map((one) => admission.admit(one, 'screen', 0)).filter(Boolean)).toHaveLength(100);
    expect(admission.admit({}, 'phone', 0)).toBe(false);
    admission.leave(phones[0] as object);
    expect(admission.admit({}, 'phone', 0)).toBe(true);
  });

  it('[H3] case R6: without a ticket some wait beside all others, and each for 2 s', () => {
    const admission = new Admission(unhurried);
    const unknown = Array.from({ length: MAX_UNVERIFIED_SOCKETS + 1 }, () => ({}));
    expect(unknown.filter((one) => admission.admit(one, null, 0))).toHaveLength(MAX_UNVERIFIED_SOCKETS);
    expect(admission.admit({}, 'desk', 0)).toBe(true);
    expect([...admission.late(UNVERIFIED_MS)]).toHaveLength(0);
    expect(admission.verify(unknown[0] as object, 'desk')).toBe(true);
    expect([...admission.late(UNVERIFIED_MS + 1)]).toHaveLength(MAX_UNVERIFIED_SOCKETS - 1);
    admission.leave(unknown[1] as object);
    expect(admission.admit({}, null, 0)).toBe(true);
    expect(admission.verify({}, 'desk')).toBe(false);
  });

  it('[H3] case R6: a desk’s ticket with an attendee’s token is a phone', () => {
    const admission = new Admission({ ...unhurried, maxSockets: 10 });
    const all = Array.from({ length: 10 }, () => ({}));
    for (const one of all) expect(admission.admit(one, 'desk', 0)).toBe(true);
    expect(all.filter((one) => admission.verify(one, 'phone'))).toHaveLength(9);
  });
});
