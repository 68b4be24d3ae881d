import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { CONGRESS, generatedJson } from '../../test/support/generated-schedule.js';
import { readFrabJson } from './frab-json.js';
import { readAcronym, readSchedule } from './read-schedule.js';
import { ScheduleUnreadable } from './reading.js';

const GUID = '023eb047-5a42-41e0-b1ec-e9fab19b2987';
const event = (more: object = {}) => ({
  guid: GUID,
  id: 1,
  title: 'T',
  date: '2026-03-29T10:00:00+02:00',
  duration: '0:30',
  ...more,
});
const file = (rooms: Record<string, unknown>, more: object = {}) =>
  JSON.stringify({
    schedule: {
      version: '1',
      conference: { title: 'Test', acronym: 'test', days: [{ index: 1, date: '2026-03-29', rooms }], ...more },
    },
  });
const one = (json: string) => {
  const [session, ...others] = readFrabJson(json).sessions;
  expect(others).toEqual([]);
  if (!session) throw new Error('no session');
  return session;
};

describe('schedule.json version 1, read leniently', () => {
  it('takes the instant of "date", whatever its offset, and "end" before "duration"', () => {
    const start = '2026-03-29T08:00:00.000Z';
    expect(one(file({ A: [event()] }))).toMatchObject({ start, end: '2026-03-29T08:30:00.000Z' });
    const end = '2026-03-29T10:40:20+02:00';
    expect(one(file({ A: [event({ end })] }))).toMatchObject({ start, end: '2026-03-29T08:40:20.000Z' });
    expect(one(file({ A: [event({ end: 'later' })] })).end).toBe('2026-03-29T08:30:00.000Z');
  });

  it('without "date" uses day, start and zone, as schedule.xml does', () => {
    const lacking = file({ A: [event({ date: null, start: '12:00' })] }, { time_zone_name: 'Europe/Berlin' });
    expect(one(lacking).start).toBe('2026-03-29T10:00:00.000Z');
  });

  it('reads people of frab and of pretalx, and numbers written as text', () => {
    const persons = [{ id: 1, public_name: 'Ann' }, { name: 'Ben' }, { code: 'X' }, 'nobody'];
    expect(one(file({ A: [event({ id: '2814', persons })] })).speakers).toEqual(['Ann', 'Ben']);
  });

  it('gives rooms the guid and seats declared for them; a guid given twice belongs to the first', () => {
    const rooms = [
      { name: 'A', guid: GUID, capacity: 300 },
      { name: 'B', guid: GUID, capacity: null },
    ];
    const schedule = readFrabJson(file({ B: [event()], A: [event({ guid: null, id: 2 })] }, { rooms }));
    expect(schedule.rooms).toEqual([
      { id: GUID, name: 'A', capacity: 300 },
      { id: expect.not.stringContaining(GUID), name: 'B' },
    ]);
  });

  it('knows the day change from days that last from one to the next, and from no others', () => {
    const days = (day_start: string, day_end: string) =>
      readFrabJson(
        file({}, { time_zone_name: 'Europe/Berlin', days: [{ date: '2026-03-28', day_start, day_end, rooms: {} }] }),
      ).dayChange;
    expect(days('2026-03-28T05:00:00+01:00', '2026-03-29T04:59:00+02:00')).toBe('05:00');
    expect(days('2026-03-28T09:00:00+01:00', '2026-03-29T04:00:00+02:00')).toBeUndefined();
  });

  it('leaves out what has no title, start or duration, and reports each', () => {
    const events = [event({ title: ' ' }), event({ date: 'soon' }), event({ duration: 'long' }), 7, null];
    const schedule = readFrabJson(file({ A: events, B: 'none' }));
    expect(schedule.sessions).toEqual([]);
    expect(schedule.odd.filter(({ what }) => what.endsWith('left out'))).toHaveLength(3);
  });

  it.each([
    ['not JSON', '{"schedule": secret}'],
    ['cut off', '{"schedule": {"conference": {'],
    ['another root', '[]'],
    ['no schedule', '{}'],
    ['no conference', '{"schedule": {}}'],
    ['no days', '{"schedule": {"conference": {}}}'],
    ['version 2', '{"schedule": {"conference": {"days": []}, "events": []}}'],
    ['too deep', `${'['.repeat(40)}${']'.repeat(40)}`],
    ['too much', `{"a": [${'1,'.repeat(500_000)}1]}`],
    ['millions of brackets', '['.repeat(8_000_000)],
    ['a text without an end', `{"a": "${'\\\\'.repeat(4_000_000)}`],
  ])('refuses %s, quoting nothing', (_, json) => {
    expect(() => readFrabJson(json)).toThrow(ScheduleUnreadable);
    expect(() => readFrabJson(json)).not.toThrow(/secret/);
  });

  it('reads one as large as a congress', () => {
    const text = JSON.stringify(generatedJson(CONGRESS));
    expect(text.length).toBeGreaterThan(2_000_000);
    const schedule = readFrabJson(text);
    expect([schedule.sessions.length, schedule.rooms.length, schedule.odd]).toEqual([1080, 72, []]);
    expect(schedule).toMatchObject({ timeZone: 'Europe/Berlin', dayChange: '05:00' });
  });
});

describe('a file of unknown format', () => {
  const read = (text: string) => readSchedule(Buffer.from(text));
  it('is told by its first character, after a byte order mark and white space', () => {
    expect(read(`\uFEFF \n${file({ A: [event()] })}`).sessions).toHaveLength(1);
    expect(read('\uFEFF<schedule><conference><title>X</title></conference></schedule>').title).toBe('X');
  });
  it('tells its acronym from the head of XML, and from the whole where the head is not clear', () => {
    const acronym = (text: string) => readAcronym(Buffer.from(text));
    expect(acronym('<schedule><conference><acronym>x1</acronym></conference><day><room></schedule>')).toBe('x1');
    const hidden = '<schedule><!-- </conference> --><conference><acronym>x2</acronym></conference></schedule>';
    expect(acronym(hidden)).toBe('x2');
    expect(acronym(file({ '</conference>': [event()] }))).toBe('test');
    expect(() => acronym('hello </conference>')).toThrow(ScheduleUnreadable);
  });

  it.each([
    ['{}', /^this is not a schedule.json: /],
    ['<a/>', /^this is not a schedule.xml: /],
    ['BEGIN:VCALENDAR', /^this is neither/],
    ['', /^this is neither/],
  ])('%s is refused in the words of its format', (text, words) => {
    expect(() => read(text)).toThrow(words);
  });
});

const folder = new URL('../../../shared/schedules/', import.meta.url);
const real = existsSync(folder) ? describe : describe.skip;
real('real schedules (skipped where ../shared/schedules is absent)', () => {
  it.each([
    ['frab-camp2019.json', 79, 2],
    ['pretalx-democon.json', 36, 2],
    ['invalid-example.json', 1, 1],
  ])('%s: %i sessions in %i rooms', (name, sessions, rooms) => {
    const schedule = readSchedule(readFileSync(new URL(name, folder)));
    expect({ sessions: schedule.sessions.length, rooms: schedule.rooms.length }).toEqual({ sessions, rooms });
  });

  it('hub-schedule2.json: refused as version 2', () => {
    expect(() => readSchedule(readFileSync(new URL('hub-schedule2.json', folder)))).toThrow(/version 2/);
  });
});
