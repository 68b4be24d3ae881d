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

  it('is for organizers; nonsense is refused with a number', async () => {
    for (const format of ['', '.csv', '.json'])
      expect((await moderator.get(`${AUDIT}${format}`)).body).toMatchObject({ code: 302 });
    for (const query of ['?limit=0', '?limit=9999', '?before=-1', '?before=x', `?actor=${'x'.repeat(500)}`])
      expect((await running.organizer.get(AUDIT + query)).body).toMatchObject({ code: 201 });
    expect((await running.organizer.get('/v1/conferences/nowhere/audit')).status).toBe(404);
  });
});

describe('what left a window, over HTTP', () => {
  const OLDER = '/v1/conferences/demo/older/session/s1/discussion';
  let running: Running;

  beforeAll(async () => {
    running = await startRunning();
    await openDemo(running.organizer);
    await running.organizer.send('open-discussion', { session: 's1' });
    for (let one = 0; one < 7; one++) {
      const author = await running.as('attendee', `a${one}`);
      await author.send('post-message', { session: 's1', text: `Message ${one}` });
    }
  }, 60_000);

  afterAll(() => running?.stop());

  it('pages back to the beginning, without what was hidden', async () => {
    const { documents } = (await running.organizer.get(`${OLDER}?limit=1`)).body as {
      documents: { key: string; body: { text: string } }[];
    };
    expect(documents[0]?.body.text).toBe('Message 6');
    await running.organizer.send('hide-message', {
      message: documents[0]?.key.slice('message/'.length),
      reason: 'unkind',
    });
    const texts: string[] = [];
    for (let before: number | null | undefined; before !== null; ) {
      const { body } = await running.organizer.get(
        `${OLDER}?limit=2${before === undefined ? '' : `&before=${before}`}`,
      );
      const one = body as { documents: { body: { text: string } }[]; before: number | null };
      texts.push(...one.documents.map(({ body: { text } }) => text));
      before = one.before;
    }
    expect(texts).toEqual([5, 4, 3, 2, 1, 0].map((one) => `Message ${one}`));
  });

  it('refuses channels without a window, strangers and nonsense, each with its number', async () => {
    expect((await running.organizer.get('/v1/conferences/demo/older/schedule')).body).toMatchObject({ code: 201 });
    expect((await running.organizer.get(`${OLDER}?limit=0`)).body).toMatchObject({ code: 201 });
    expect((await running.organizer.get(`${OLDER}?before=x`)).body).toMatchObject({ code: 201 });
    const response = await fetch(running.service.url + OLDER);
    expect((await response.json()) as object).toMatchObject({ code: 300 });
  });
});
