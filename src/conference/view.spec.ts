import { describe, expect, it } from '@jest/globals';
import type { RoomDocument } from './conferences/documents.js';
import type { SessionDocument } from './sessions/documents.js';
import { clock } from './times.js';
import { timesOf, viewRoom, viewRunning } from './view.js';

const room: RoomDocument = { id: 'a', name: 'Hall A', order: 1, capacity: null, floor: null, full: false };
const session = (id: string, over: Partial<SessionDocument> = {}): SessionDocument => ({
  id,
  room: 'a',
  kind: 'talk',
  title: id,
  subtitle: null,
  abstract: null,
  speakers: [],
  track: null,
  language: null,
  url: null,
  state: 'scheduled',
  planned: { start: '2026-11-23T09:00:00.000Z', end: '2026-11-23T09:45:00.000Z' },
  expectedStart: null,
  actual: { start: null, end: null },
  because: null,
  before: [],
  pinned: false,
  recording: null,
  ...over,
});
const time = (hhmm: string) => Date.parse(`2026-11-23T${hhmm}:00Z`);

describe('what is on', () => {
  it('I3: a planned session that nobody started is due, never running', () => {
    const view = viewRoom(room, [session('s')], time('09:10'));
    expect(view.now).toBeNull();
    expect(view.next[0]).toMatchObject({ due: true, minutesUntil: 0 });
    expect(viewRoom(room, [session('s')], time('09:46')).next).toEqual([]);
  });

  it('counts down, a late start included, and then counts over', () => {
    const late = session('s', { state: 'running', actual: { start: '2026-11-23T09:10:00.000Z', end: null } });
    expect(viewRoom(room, [late], time('09:40')).now).toMatchObject({ minutesLeft: 15, minutesOver: null });
    expect(viewRoom(room, [late], time('10:01')).now).toMatchObject({ minutesLeft: null, minutesOver: 6 });
  });

  it('orders what is next by announced start', () => {
    const first = session('first', { expectedStart: '2026-11-23T11:00:00.000Z' });
    const second = session('second', {
      planned: { start: '2026-11-23T10:00:00.000Z', end: '2026-11-23T10:45:00.000Z' },
    });
    const { next } = viewRoom(room, [first, second], time('08:00'));
    expect(next.map(({ session: { id }, delayed }) => [id, delayed])).toEqual([
      ['second', false],
      ['first', true],
    ]);
  });

  it('says what was cancelled, moved away, moved here and given a new time, until it would have ended', () => {
    const before = { room: 'b', start: '2026-11-23T09:00:00.000Z', end: '2026-11-23T09:45:00.000Z' };
    const all = [
      session('cancelled', { state: 'cancelled', because: 'illness' }),
      session('here', { before: [before] }),
      session('away', { room: 'b', before: [{ ...before, room: 'a' }] }),
      session('later', { before: [{ ...before, room: 'a', start: '2026-11-23T08:30:00.000Z' }] }),
    ];
    const at = (now: number) =>
      Object.fromEntries(viewRoom(room, all, now).changes.map(({ session: { id }, what }) => [id, what]));
    expect(at(time('09:00'))).toEqual({
      cancelled: 'cancelled',
      here: 'moved-here',
      away: 'moved-away',
      later: 'new-time',
    });
    expect(at(time('10:00'))).toEqual({});
  });

  it('case V46: a session that nobody ended is not "now" for ever: 15 minutes over where the next one is due, else its own length', () => {
    const started = { state: 'running' as const, actual: { start: '2026-11-23T09:00:00.000Z', end: null } };
    const on = session('on', started);
    const next = session('next', { planned: { start: '2026-11-23T09:45:00.000Z', end: '2026-11-23T10:30:00.000Z' } });
    const late = session('late', { planned: { start: '2026-11-23T10:15:00.000Z', end: '2026-11-23T11:00:00.000Z' } });
    const shown = (sessions: readonly SessionDocument[], now: string) => {
      const { now: running, unended } = viewRoom(room, sessions, time(now));
      return [running?.minutesOver, unended?.endsAt];
    };
    expect(shown([on, next], '09:59')).toEqual([14, undefined]);
    expect(shown([on, next], '10:00')).toEqual([undefined, time('09:45')]);
    expect(shown([on, late], '10:14')).toEqual([29, undefined]);
    expect(shown([on, late], '10:15')).toEqual([undefined, time('09:45')]);
    expect(shown([on], '10:29')).toEqual([44, undefined]);
    expect(shown([on], '10:30')).toEqual([undefined, time('09:45')]);
    // What comes after it has not fallen out.
    expect(viewRoom(room, [on, next], time('10:20')).next[0]).toMatchObject({ session: { id: 'next' }, due: true });
    const elsewhere = { ...next, room: 'b' };
    expect(viewRunning(on, [on, elsewhere], time('10:10')).now?.minutesOver).toBe(25);
  });

  it('case V19: the times of a session are those it had, those it has by its start, or those that were announced', () => {
    const hhmm = (over: Partial<SessionDocument>) => {
      const { startsAt, endsAt, shifted } = timesOf(session('s', over));
      return [clock(startsAt, 'UTC', 'en-GB'), clock(endsAt, 'UTC', 'en-GB'), shifted];
    };
    const at = (start: string, end: string | null = null) => ({
      actual: { start: `2026-11-23T${start}:40.000Z`, end: end && `2026-11-23T${end}:00.000Z` },
    });
    expect(hhmm({})).toEqual(['09:00', '09:45', false]);
    expect(hhmm({ state: 'running', ...at('09:03') })).toEqual(['09:03', '09:48', true]);
    expect(hhmm({ state: 'running', ...at('08:58') })).toEqual(['08:58', '09:45', true]);
    expect(hhmm({ state: 'running', ...at('09:00') })[0]).toBe('09:00');
    expect(hhmm({ state: 'ended', ...at('09:03', '09:40') })).toEqual(['09:03', '09:40', true]);
    expect(hhmm({ expectedStart: '2026-11-23T09:10:00.000Z' })).toEqual(['09:10', '09:55', true]);
    expect(hhmm({ state: 'cancelled' })).toEqual(['09:00', '09:45', false]);
  });
});
