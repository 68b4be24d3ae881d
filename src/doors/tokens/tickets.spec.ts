import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readTicket, TICKET_SECONDS, writeTicket } from './tickets.js';

const NOW = Date.parse('2026-11-27T12:00:00Z');
const [first, second] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];

describe('tickets', () => {
  it('case R6: say whose place they open, by any key that is still valid, until their end', () => {
    for (const cls of ['phone', 'desk', 'screen'] as const) {
      const ticket = writeTicket(first, cls, NOW);
      expect(readTicket([second, first], ticket, NOW)).toBe(cls);
      expect(readTicket([second], ticket, NOW)).toBeNull();
      expect(readTicket([first], ticket, NOW + TICKET_SECONDS * 1_000 - 1)).toBe(cls);
      expect(readTicket([first], ticket, NOW + TICKET_SECONDS * 1_000)).toBeNull();
    }
  });

  it('case R6: what nobody handed out opens nothing, whatever it is', () => {
    const ticket = writeTicket(first, 'phone', NOW);
    const bytes = Buffer.from(ticket, 'base64url');
    for (let index = 0; index < bytes.length; index++) {
      const forged = Buffer.from(bytes);
      forged[index] = (forged[index] ?? 0) ^ 1;
      expect(readTicket([first], forged.toString('base64url'), NOW)).toBeNull();
    }
    fc.assert(
      fc.property(fc.anything(), (value) => {
        expect(readTicket([first], value, NOW)).toBeNull();
      }),
    );
    for (const length of [0, 1, 27, 29, 10_000]) expect(readTicket([first], 'A'.repeat(length), NOW)).toBeNull();
  });
});
