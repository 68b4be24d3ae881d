import { describe, expect, it } from '@jest/globals';
import { clock, when } from './times.js';

const at = (instant: string) => Date.parse(instant);
const NOW = at('2026-11-27T13:00:00Z');
const berlin = (instant: string, language = 'en-GB') => when(at(instant), NOW, 'Europe/Berlin', language);

describe('times on the conference’s clock', () => {
  it('case V20: today is HH:MM, a day of this week has its weekday, a further one its date', () => {
    expect(berlin('2026-11-27T13:00:00Z')).toBe('14:00');
    expect(berlin('2026-11-29T13:00:00Z')).toBe('Sun 14:00');
    expect(berlin('2026-11-25T13:00:00Z')).toBe('Wed 14:00');
    expect(berlin('2026-12-04T13:00:00Z')).toBe('4 Dec, 14:00');
    expect(berlin('2026-11-29T13:00:00Z', 'de')).toMatch(/^So.*14:00$/);
  });

  it('case V20: another day begins at midnight on the conference’s clock, wherever one reads it', () => {
    expect(berlin('2026-11-27T22:59:00Z')).toBe('23:59');
    expect(berlin('2026-11-27T23:00:00Z')).toBe('Sat 00:00');
    expect(when(at('2026-11-28T05:00:00Z'), NOW, 'America/New_York', 'en-GB')).toMatch(/^Sat.*00:00$/);
  });

  it('case V47: in the night in which clocks are set back, the hour that comes twice carries its zone', () => {
    const night = (instant: string) => clock(at(instant), 'Europe/Berlin', 'en-GB');
    expect([night('2026-10-25T00:30:00Z'), night('2026-10-25T01:30:00Z')]).toEqual(['02:30 CEST', '02:30 CET']);
    expect([night('2026-10-24T23:59:00Z'), night('2026-10-25T02:00:00Z')]).toEqual(['01:59', '03:00']);
    expect(clock(at('2026-11-01T05:30:00Z'), 'America/New_York', 'en-US')).toBe('01:30 EDT');
    // Clocks there are set by half an hour.
    expect(clock(at('2026-04-04T14:45:00Z'), 'Australia/Lord_Howe', 'en-GB')).toMatch(/^01:45 .+/);
  });

  it('on a day on which clocks are set forward, and on all others, no time carries a zone', () => {
    expect(clock(at('2026-03-29T00:30:00Z'), 'Europe/Berlin', 'de')).toBe('01:30');
    expect(clock(at('2026-03-29T01:30:00Z'), 'Europe/Berlin', 'de')).toBe('03:30');
    expect(clock(at('2026-07-01T10:00:00Z'), 'Asia/Kathmandu', 'en-GB')).toBe('15:45');
  });
});
