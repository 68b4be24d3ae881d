import { describe, expect, it } from '@jest/globals';
import type { RoomDocument } from './conferences/documents.js';
import type { SessionDocument } from './sessions/documents.js';
import { clock, viewRoom } from './view.js';

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

  it('shows times on the conference’s clock, on a day of daylight saving too', () => {
    expect(clock(Date.parse('2026-03-29T00:30:00Z'), 'Europe/Berlin', 'de')).toBe('01:30');
    expect(clock(Date.parse('2026-03-29T01:30:00Z'), 'Europe/Berlin', 'de')).toBe('03:30');
  });
});
