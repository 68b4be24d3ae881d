import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { readFrabXml } from './frab-xml.js';
import { ScheduleUnreadable } from './reading.js';

const file = (days: string, head = '') =>
  `<?xml version="1.0"?><schedule><conference><title>Test</title><acronym>test-1</acronym>${head}</conference>${days}</schedule>`;
const day = (events: string) => `<day index="1" date="2026-03-29"><room name="Hall A">${events}</room></day>`;
const event = (inner: string, attributes = 'guid="023eb047-5a42-41e0-b1ec-e9fab19b2987" id="1"') =>
  `<event ${attributes}><title>T</title><duration>0:30</duration><room>Hall A</room>${inner}</event>`;
const one = (schedule: ReturnType<typeof readFrabXml>) => {
  const [session, ...others] = schedule.sessions;
  expect(others).toEqual([]);
  if (!session) throw new Error('no session');
  return session;
};

describe('schedule.xml, read leniently', () => {
  it('takes the instant of <date>, whatever its offset', () => {
    const session = one(readFrabXml(file(day(event('<date>2026-03-29T10:00:00+02:00</date><start>10:00</start>')))));
    expect(session).toMatchObject({ start: '2026-03-29T08:00:00.000Z', end: '2026-03-29T08:30:00.000Z' });
  });

  it('without <date> uses day, start, zone and day change, and says so', () => {
    const head = '<time_zone_name>Europe/Berlin</time_zone_name><day_change>04:00</day_change>';
    const read = (start: string) => readFrabXml(file(day(event(`<start>${start}</start>`)), head));
    expect(one(read('12:00')).start).toBe('2026-03-29T10:00:00.000Z');
    expect(one(read('00:15')).start).toBe('2026-03-29T22:15:00.000Z');
    expect(read('12:00').odd.map(({ what }) => what)).toContain('no date; day and start are used');
  });

  it('derives a stable id where there is no guid', () => {
    const read = () => one(readFrabXml(file(day(event('<start>12:00</start><slug>keynote</slug>', 'id="7"')))));
    expect(read().id).toBe(read().id);
    expect(read().id).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('tells two sessions with one guid apart by room and time, in any order', () => {
    const a = event('<date>2026-03-29T10:00:00Z</date>');
    const b = event('<date>2026-03-29T14:00:00Z</date>');
    const schedule = readFrabXml(file(day(a + b)));
    expect(schedule.sessions).toHaveLength(2);
    expect(schedule.odd.some(({ what }) => what.includes('more than once'))).toBe(true);
  });

  it('leaves out what has no title, start or duration, and reports each', () => {
    const schedule = readFrabXml(
      file(
        day(
          '<event id="1"/><event id="2"><title>x</title></event><event id="3"><title>x</title><start>9:00</start><duration>long</duration></event>',
        ),
      ),
    );
    expect(schedule.sessions).toEqual([]);
    expect(schedule.odd.filter(({ what }) => what.endsWith('left out'))).toHaveLength(3);
  });

  it.each([
    ['not XML', 'hello'],
    ['another root', '<feed/>'],
    ['no conference', '<schedule/>'],
    ['unclosed', '<schedule><conference>'],
    [
      'an entity bomb',
      '<!DOCTYPE s [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><schedule><conference>&b;</conference></schedule>',
    ],
    ['too deep', `${'<a>'.repeat(40)}${'</a>'.repeat(40)}`],
  ])('refuses %s with a place', (_, xml) => {
    expect(() => readFrabXml(xml)).toThrow(ScheduleUnreadable);
  });
});

const folder = new URL('../../../shared/schedules/', import.meta.url);
const real = existsSync(folder) ? describe : describe.skip;
real('real schedules (skipped where ../shared/schedules is absent)', () => {
  it.each([
    ['38c3.xml', 1007, 72],
    ['fosdem-2025.xml', 943, 29],
    ['debconf23.xml', 117, 5],
    ['emf-2022.xml', 335, 19],
    ['28c3-old-style.xml', 85, 3],
    ['schedule-minimal.xml', 1, 1],
  ])('%s: %i sessions in %i rooms', (name, sessions, rooms) => {
    const schedule = readFrabXml(readFileSync(new URL(name, folder), 'utf8'));
    expect({ sessions: schedule.sessions.length, rooms: schedule.rooms.length }).toEqual({ sessions, rooms });
  });
});
