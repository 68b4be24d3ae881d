import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Api, openDemo } from '../../../test/support/process.js';
import { type Running, startRunning } from '../../../test/support/running.js';
import type { MessageDocument } from '../../conference/discussions/documents.js';
import { WINDOW } from '../../conference/discussions/views.js';

const OLDER = '/v1/conferences/demo/older/session/s1/discussion';
const POSTED = WINDOW + 12;
const AT_ONCE = 16;

interface Page {
  readonly documents: readonly { readonly key: string; readonly body: MessageDocument }[];
  readonly before: number | null;
}

describe('what left a window, over HTTP', () => {
  let running: Running;
  const keys = new Map<string, string>();

  /** In the order of `names`, as far as that can be said of what is sent at once. */
  const post = async (session: string, names: readonly string[]) => {
    for (let from = 0; from < names.length; from += AT_ONCE)
      await Promise.all(
        names.slice(from, from + AT_ONCE).map(async (name) => {
          const author = await running.as('attendee', name);
          const { subject } = await author.send('post-message', { session, text: `Message of ${name}` });
          keys.set(name, `message/${subject}`);
        }),
      );
  };
  const page = async (reader: Api, query: string) => (await reader.get(`${OLDER}?${query}`)).body as unknown as Page;
  const readAll = async (reader: Api, limit: number) => {
    const all: Page['documents'][number][] = [];
    for (let before: number | null | undefined; before !== null; ) {
      const one: Page = await page(reader, `limit=${limit}${before === undefined ? '' : `&before=${before}`}`);
      all.push(...one.documents);
      before = one.before;
    }
    return all;
  };
  const followed = async () => {
    const { body } = await running.organizer.get('/v1/conferences/demo/channels/session/s1/discussion');
    return (body.entries as [string, number, object | null][])
      .filter(([key, , document]) => key.startsWith('message/') && document !== null)
      .map(([key]) => key);
  };

  beforeAll(async () => {
    running = await startRunning();
    await openDemo(running.organizer);
    for (const session of ['s1', 's2']) await running.organizer.send('open-discussion', { session });
    await post('s2', ['neighbour']);
    await post('s1', ['first']);
    await post(
      's1',
      Array.from({ length: POSTED - 2 }, (_, one) => `a${one}`),
    );
    await post('s1', ['last']);
  }, 120_000);

  afterAll(() => running?.stop());

  it('pages back to the beginning: what can be followed and what left the window, each once, newest first', async () => {
    const reader = await running.as('attendee', 'reader');
    const all = (await readAll(reader, 100)).map(({ key }) => key);
    expect(all).toHaveLength(POSTED);
    expect(new Set(all).size).toBe(POSTED);
    expect([all[0], all.at(-1)]).toEqual([keys.get('last'), keys.get('first')]);
    expect(all).not.toContain(keys.get('neighbour'));
    const window = await followed();
    expect(window).toHaveLength(WINDOW);
    expect(new Set(window)).toEqual(new Set(all.slice(0, WINDOW)));
  });

  it('shows older messages as they are now: hidden and withdrawn ones not, erased ones without text (I14)', async () => {
    const older = async (limit = 100) => (await readAll(await running.as('attendee', `r${limit}`), limit)).slice(-4);
    const before = await older();
    expect(before.at(-1)?.body.text).toBe('Message of first');
    const [hidden, withdrawn, erased] = before.map(({ key }) => key);
    const authorOf = (key: string | undefined) => [...keys].find(([, one]) => one === key)?.[0] ?? '';
    await running.organizer.send('hide-message', { message: hidden?.slice('message/'.length), reason: 'unkind' });
    const author = await running.as('attendee', authorOf(withdrawn));
    await author.send('withdraw-message', { message: withdrawn?.slice('message/'.length) });
    await running.organizer.send('erase-attendee', { subject: authorOf(erased) });
    const after = await older(99);
    expect(after.map(({ key }) => key).slice(-2)).toEqual(before.map(({ key }) => key).slice(-2));
    expect(after.map(({ key }) => key)).not.toContain(hidden);
    expect(after.map(({ key }) => key)).not.toContain(withdrawn);
    expect(JSON.stringify(after.find(({ key }) => key === erased)?.body)).not.toContain('Message of');
  });

  it('is for whoever may follow the channel; everybody else and nonsense are refused with their number', async () => {
    const { tokens } = running.service;
    const ada = { actor: 'ada', role: 'attendee', conference: 'demo' } as const;
    const ask = async (route: string, token: string | null) => {
      const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
      const response = await fetch(running.service.url + route, { headers });
      return ((await response.json()) as { code?: number }).code;
    };
    const attendee = await running.token('attendee', 'ada');
    const at = (channel: string) => `/v1/conferences/demo/older/${channel}`;
    const asked: readonly (readonly [string, string | null, number])[] = [
      [OLDER, null, 300],
      [OLDER, 'x.y.z', 300],
      [OLDER, await tokens.issue(ada, -10), 301],
      [OLDER, await tokens.issue({ ...ada, conference: 'other' }, 60), 303],
      [OLDER, await running.token('moderator', 'nobody-granted'), 304],
      [at('session/s1/desk'), attendee, 302],
      [at('me/bob'), attendee, 302],
      [at('_authors'), attendee, 203],
      [at('nothing/like/this'), attendee, 203],
      [at('schedule'), attendee, 201],
      ['/v1/conferences/nowhere/older/schedule', await running.token('organizer', 'olga'), 202],
    ];
    for (const [route, token, code] of asked)
      expect([route, code, await ask(route, token)]).toEqual([route, code, code]);
    for (const query of ['limit=0', 'limit=101', 'limit=x', 'before=-1', 'before=x', 'before=1.5'])
      expect([query, await ask(`${OLDER}?${query}`, attendee)]).toEqual([query, 201]);
  });

  it('I9: who reads too fast is told how long to wait; others read on', async () => {
    const greedy = await running.as('attendee', 'greedy');
    let refusal: Record<string, unknown> | undefined;
    let read = 0;
    for (; refusal === undefined && read < 200; read++) {
      const { status, body } = await greedy.get(`${OLDER}?limit=1`);
      if (status !== 200) refusal = body;
    }
    expect(refusal).toMatchObject({ code: 106, retryAfter: expect.any(Number) });
    expect(read).toBeGreaterThan(30);
    expect((await page(await running.as('attendee', 'patient'), 'limit=1')).documents).toHaveLength(1);
  });
});
