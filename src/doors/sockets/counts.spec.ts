import { describe, expect, it } from '@jest/globals';
import { SocketCounts } from './counts.js';

describe('counts of the socket door', () => {
  const counting = () => {
    const lines: object[] = [];
    const add = (details: object) => lines.push(details);
    return { lines, counts: new SocketCounts({ debug: add, info: add, warn: add, error: add }) };
  };

  it('what came late is one line in 10 s, with the trace that it belongs to', () => {
    const { lines, counts } = counting();
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    for (let turn = 0; turn < 3; turn++) counts.late('screen', { ms: 3_000 + turn, traceparent });
    expect(lines).toEqual([{ class: 'screen', ms: 3_000, trace_id: 'a'.repeat(32) }]);
  });

  it('turned away is who is told to come again; a planned stop refuses nobody’s return', () => {
    const { counts } = counting();
    const channels = { schedule: ['e1', 7], updates: null };
    counts.refuseConnect(101, 'phone', channels);
    counts.refuseConnect(107, 'desk', channels);
    counts.refuseConnect(300, 'phone', channels);
    counts.refuseConnect(103, 'phone', 'nonsense');
    expect(counts.turnedAway.connect).toEqual({ screen: 0, desk: 1, phone: 2 });
    expect(counts.resumes.refused).toBe(1);
    expect(counts.refused).toEqual({ 101: 1, 103: 1, 107: 1, 300: 1 });
  });
});
