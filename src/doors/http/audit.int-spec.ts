import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Api, openDemo } from '../../../test/support/process.js';
import { type Running, startRunning } from '../../../test/support/running.js';
import type { AuditEntry } from './audit.js';

const AUDIT = '/v1/conferences/demo/audit';

describe('the audit over HTTP', () => {
  let running: Running;
  let moderator: Api;
  let question: string;
  const page = async (query = '') =>
    (await running.organizer.get(`${AUDIT}${query}`)).body as unknown as {
      entries: readonly AuditEntry[];
      before: number | null;
    };
  const file = async (format: string) => {
    const response = await fetch(`${running.service.url}${AUDIT}.${format}`, {
      headers: { authorization: `Bearer ${await running.token('organizer', 'olga')}` },
    });
    return { type: response.headers.get('content-type'), text: await response.text() };
  };

  beforeAll(async () => {
    running = await startRunning();
    await openDemo(running.organizer);
    await running.organizer.send('grant-moderator', { moderator: 'mo', sessions: ['s1'], name: 'Mo of the crew' });
    moderator = await running.as('moderator', 'mo');
    const ada = await running.as('attendee', 'ada');
    question = (await ada.send('ask-question', { session: 's1', text: 'A very personal sentence' })).subject;
    await moderator.send('dismiss-question', { question, reason: '=HYPERLINK("http://x")' });
  }, 60_000);

  afterAll(() => running?.stop());

  it('says who did what, when, why, what was before and after, and the command that takes it back (I2, I10)', async () => {
    const [entry] = (await page('?limit=1')).entries;
    expect(entry).toMatchObject({
      type: 'question-dismissed',
      actor: 'mo',
      role: 'moderator',
      subject: question,
      reason: '=HYPERLINK("http://x")',
      noEffect: null,
      inverse: { type: 'restore-question', data: { question } },
    });
    expect(entry?.before).toContainEqual(expect.objectContaining({ table: 'question', state: 'pending' }));
    expect(entry?.after).toContainEqual(expect.objectContaining({ table: 'question', state: 'dismissed' }));
    const { inverse } = entry ?? {};
    if (!inverse) throw new Error('no way back');
    expect((await moderator.send(inverse.type, inverse.data)).outcome).toBe('applied');
  });

  it('I14: holds nothing that anybody wrote or is called', async () => {
    const { text } = await file('json');
    expect(text).toContain('moderator-granted');
    expect(text).not.toContain('Mo of the crew');
    expect(text).not.toContain('very personal');
  });

  it('is read in pages, newest first, each entry once; by subject and by actor', async () => {
    const seen: number[] = [];
    for (let before: number | null | undefined; before !== null; ) {
      const one: Awaited<ReturnType<typeof page>> = await page(
        `?limit=3${before === undefined ? '' : `&before=${before}`}`,
      );
      seen.push(...one.entries.map(({ position }) => position));
      before = one.before;
    }
    expect(seen).toEqual([...new Set(seen)].sort((a, b) => b - a));
    expect(seen.length).toBeGreaterThan(5);
    const lines = (await file('json')).text.trim().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as AuditEntry).position)).toEqual(seen);
    expect((await page('?actor=mo')).entries.every(({ actor }) => actor === 'mo')).toBe(true);
    expect((await page(`?subject=${question}`)).entries.length).toBeGreaterThanOrEqual(2);
  });

  it('goes out as CSV in which no reason is a formula', async () => {
    const { type, text } = await file('csv');
    expect(type).toContain('text/csv');
    expect(text.split('\n')[0]).toContain('at,type,subject,actor');
    expect(text).toContain(`'=HYPERLINK`);
    expect(text).not.toMatch(/(^|,)"?=HYPERLINK/m);
  });

  it('is for organizers of this conference; everybody else and nonsense are refused with their number', async () => {
    const { tokens } = running.service;
    await running.organizer.send('erase-attendee', { subject: 'oscar' });
    const own = { actor: 'olga', role: 'organizer', conference: 'demo' } as const;
    const refused = [
      [await running.token('attendee', 'ada'), 302],
      [await running.token('moderator', 'mo'), 302],
      [await running.token('operator', 'opal'), 302],
      [await running.token('screen', 'wall'), 302],
      [await running.token('producer', 'venue-system'), 302],
      [await tokens.issue({ ...own, conference: 'other' }, 60), 303],
      [await tokens.issue(own, -10), 301],
      [await tokens.issue({ ...own, actor: 'oscar' }, 60), 305],
      ['x.y.z', 300],
    ] as const;
    for (const format of ['', '.csv', '.json']) {
      for (const [token, code] of refused) {
        const response = await fetch(`${running.service.url}${AUDIT}${format}`, {
          headers: { authorization: `Bearer ${token}` },
        });
        expect([format, code, await response.json()]).toMatchObject([format, code, { code }]);
      }
      expect((await running.organizer.get(`/v1/conferences/nowhere/audit${format}`)).body).toMatchObject({ code: 202 });
    }
    for (const query of ['?limit=0', '?limit=9999', '?before=-1', '?before=x', `?actor=${'x'.repeat(500)}`])
      expect((await running.organizer.get(AUDIT + query)).body).toMatchObject({ code: 201 });
  });

  it('I14: an erasure leaves every act where it was, and who did it', async () => {
    const before = (await file('json')).text.trim().split('\n');
    for (const subject of ['ada', 'mo']) await running.organizer.send('erase-attendee', { subject });
    const [newest, , ...rest] = (await file('json')).text.trim().split('\n');
    expect(JSON.parse(newest ?? '')).toMatchObject({ type: 'attendee-erased', subject: 'mo', inverse: null });
    expect(rest).toEqual(before);
  });

  it('I9: a long audit is exported in several readings, each entry once', async () => {
    const rooms = Array.from({ length: 100 }, (_, one) => ({ id: `r${one}`, name: `Room ${one}`, order: one }));
    for (let turn = 0; turn < 11; turn++)
      await running.organizer.send('define-rooms', {
        rooms: rooms.map((room) => ({ ...room, name: `${room.name} ${turn}` })),
      });
    const positions = (await file('json')).text
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as AuditEntry).position);
    expect(positions.length).toBeGreaterThan(1_100);
    expect(positions).toEqual([...new Set(positions)].sort((a, b) => b - a));
    expect((await file('csv')).text.trim().split('\n')).toHaveLength(positions.length + 1);
  }, 30_000);
});
