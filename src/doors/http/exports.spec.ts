import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  createExported,
  type Exported,
  expectNothingChanges,
  expectTrueTimes,
  expectValidJson,
  expectValidXml,
  hasShared,
  shared,
} from '../../../test/support/exported.js';
import { CONGRESS, generatedJson } from '../../../test/support/generated-schedule.js';
import { CONFERENCE, openDemo, organizer, someone } from '../../../test/support/world.js';

const HERE = `/v1/conferences/${CONFERENCE}`;
const FORMATS = ['xml', 'json', 'ics'] as const;
/** "schema" in a title: needs ../shared/schedules, and is shown as skipped without it. */
const withSchema = hasShared ? it : it.skip;

let exported: Exported;
const close = () => exported.door.close();

describe('exports of a generated congress', () => {
  beforeAll(async () => {
    exported = await createExported();
    await exported.load(JSON.stringify(generatedJson(CONGRESS)));
  }, 60_000);
  afterAll(close);

  it('come back in and change nothing', () => expectNothingChanges(exported), 60_000);
  it('show every instant in schedule.ics', () => expectTrueTimes(exported));
  withSchema('are valid: schedule.xml by the official schema', () => expectValidXml(exported));
  withSchema('are valid: schedule.json by the official schema', () => expectValidJson(exported));

  it('are made once per change, and an ETag spares even that', async () => {
    const { door, doors } = exported;
    for (const format of FORMATS) {
      const first = await door.call(`${HERE}/schedule.${format}`, { by: someone('ann') });
      const etag = first.headers.get('etag') ?? '';
      const again = { by: someone('ben'), headers: { 'if-none-match': etag } };
      expect((await door.call(`${HERE}/schedule.${format}`, again)).status).toBe(304);
      expect(await exported.get(format)).toBe(first.text);
      await doors.world.send('define-rooms', { rooms: [{ id: format, name: format }] });
      await doors.follow();
      expect((await door.call(`${HERE}/schedule.${format}`, again)).status).toBe(200);
    }
  });
});

const HOSTILE = 'A <b>"title"</b> & ]]> \u05e9\u05dc\u05d5\u05dd \u{1f388}; , \\ {x} \'y\'';

describe('exports of what was typed by hand', () => {
  const send = async (type: string, data: object) => {
    expect(await exported.doors.world.send(type, data)).toBeInstanceOf(Array);
    await exported.doors.follow();
  };
  const slot = { room: 'a', start: '2026-11-23T12:00:00Z', end: '2026-11-23T13:00:00Z' };
  const expectAll = async () => {
    await expectNothingChanges(exported);
    await expectTrueTimes(exported);
    if (hasShared) {
      await expectValidXml(exported);
      await expectValidJson(exported);
    }
  };
  beforeEach(async () => {
    exported = await createExported();
    await openDemo(exported.doors.world);
    await exported.doors.follow();
  });
  afterEach(close);

  it('keep ids that are no guids, kinds, the order, floor and seats of rooms, and rooms of one name apart', async () => {
    const rooms = [
      { id: 'a', name: 'Hall A', order: 7, capacity: 300, floor: 'first' },
      { id: 'c', name: 'Hall A', order: 3 },
      { id: 'd', name: '__proto__', order: 5 },
    ];
    await send('define-rooms', { rooms });
    const kinds = ['ama', 'discussion', 'breakout', 'unconference', 'social', 'break', 'keynote', 'workshop'];
    for (const [index, kind] of kinds.entries())
      await send('schedule-session', { ...slot, id: kind, kind, title: kind, room: ['c', 'd', 'a'][index % 3] });
    await expectAll();
  });

  it('carry any text and address', async () => {
    const long = `${HOSTILE}\r\n\r\n\t${'x'.repeat(3_000)}\u0001`;
    const url = 'https://example.org/a b?q=ü&x={1}|"<>^`#[x]';
    await send('define-rooms', { rooms: [{ id: 'b', name: HOSTILE.slice(0, 90) }] });
    const facts = { title: HOSTILE, subtitle: HOSTILE, abstract: long, speakers: [HOSTILE], track: HOSTILE };
    await send('schedule-session', { ...slot, ...facts, id: 'x', room: 'b', language: 'de', url });
    await send('publish-recording', { session: 'x', url });
    await expectAll();
  });

  it('hold on a Sunday when clocks change, across the day change, for seconds, days and other centuries', async () => {
    await send('amend-conference', { title: 'T', timeZone: 'Europe/Berlin', dayChange: '05:00' });
    const starts = ['2026-03-29T00:30:00Z', '2026-03-29T01:00:00Z', '2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z'];
    for (const [index, start] of [...starts, '1971-01-01T00:00:30.500Z', '2099-07-01T12:00:00Z'].entries()) {
      const end = new Date(Date.parse(start) + (index + 1) * 3_600_000 + 20_000).toISOString();
      await send('schedule-session', { ...slot, start, end, id: `t${index}`, title: `T${index}` });
    }
    await expectAll();
    const ics = await exported.get('ics');
    expect(ics).toContain('DTSTART:20261025T003000Z\r\n');
    expect(ics).toContain('DTSTART:20261025T013000Z\r\n');
  });

  it.each(['UTC', 'America/Argentina/Buenos_Aires', 'Asia/Kathmandu', 'Africa/Casablanca', 'Pacific/Apia'])(
    'name the zone %s and hold there',
    async (timeZone) => {
      await send('amend-conference', { title: 'T', timeZone });
      await expectAll();
      expect(await exported.get('xml')).toContain(`<time_zone_name>${timeZone}</time_zone_name>`);
      expect(await exported.get('ics')).toContain(`TZID:${timeZone}\r\n`);
    },
  );

  it('tell delays and cancellations where the format can, and keep still about them where it cannot', async () => {
    await send('delay-session', { session: 's1', expectedStart: '2026-11-23T09:10:00Z', reason: 'the train' });
    await send('cancel-session', { session: 's2', reason: null });
    await expectAll();
    const [xml, json, ics] = await Promise.all(FORMATS.map((format) => exported.get(format)));
    expect([xml?.includes('Session s2'), json?.includes('Session s2')]).toEqual([false, false]);
    expect(xml).toContain('<date>2026-11-23T09:00:00+00:00</date>');
    expect(ics).toContain('DTSTART;TZID=Europe/Dublin:20261123T091000');
    expect(ics?.match(/STATUS:\w+/g)?.sort()).toEqual(['STATUS:CANCELLED', 'STATUS:CONFIRMED', 'STATUS:CONFIRMED']);
  });

  it('are valid while nothing is planned', async () => {
    for (const session of ['s1', 's2', 's3']) await send('cancel-session', { session });
    await expectAll();
  });

  it('I9: are for those who may follow the schedule, and for nobody else', async () => {
    for (const format of FORMATS) {
      const path = `${HERE}/schedule.${format}`;
      const { door } = exported;
      expect((await door.call(path)).json).toMatchObject({ code: 300 });
      expect((await door.call(path, { by: { ...someone('ann'), conference: 'other' } })).json.code).toBe(303);
      expect((await door.call(path, { by: someone('mia', 'moderator') })).json.code).toBe(304);
      for (const by of [organizer, someone('ann'), someone('wall', 'screen')])
        expect((await door.call(path, { by })).status).toBe(200);
      expect((await door.call(`/v1/conferences/other/schedule.${format}`, { by: organizer })).json.code).toBe(202);
    }
  });
});

const real = hasShared ? describe : describe.skip;
real('exports of real schedules (skipped where ../shared/schedules is absent)', () => {
  beforeEach(async () => {
    exported = await createExported();
  });
  afterEach(close);

  it.each([
    '38c3.xml',
    'fosdem-2025.xml',
    'debconf23.xml',
    'emf-2022.xml',
    '28c3-old-style.xml',
    'pretalx-democon.json',
  ])(
    '%s: valid, and back in nothing changes',
    async (name) => {
      await exported.load(shared(name));
      await expectNothingChanges(exported);
      await expectTrueTimes(exported);
      await expectValidXml(exported);
      await expectValidJson(exported);
    },
    120_000,
  );
});
