import AxeBuilder from '@axe-core/playwright';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { createTokens } from '../../src/doors/tokens/tokens.js';
import { launch, needsChromium, picture } from '../support/browser.js';
import { type Api, api, openDemo, type ServiceProcess, startProcess, until } from '../support/process.js';
import { startProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const suite = needsChromium() ? describe : describe.skip;

suite('a room’s screen, in a real browser, on separate processes', () => {
  let database: TestDatabase;
  let projector: ServiceProcess;
  let gateway: ServiceProcess;
  let proxy: TcpProxy;
  let browser: Browser;
  let page: Page;
  let organizer: Api;
  let screenToken: string;

  const environment = (role: string) => ({ DATABASE_URL: database.url, ROLE: role, LOG_LEVEL: 'warn' });
  const startGateway = async () => {
    gateway = await startProcess(environment('gateway'));
    await gateway.printed(/is ready/);
    if (proxy) proxy.target = Number(new URL(gateway.url).port);
  };
  const startProjector = async () => {
    projector = await startProcess(environment('projector'));
    await until(
      'the projector serves',
      async () => (await fetch(`${projector.url}/readyz`).catch(() => undefined))?.ok ?? false,
    );
  };
  const screenUrl = () => `http://127.0.0.1:${proxy.port}/screen?c=demo&room=a#token=${screenToken}`;
  const text = (name: string) => page.getByTestId(name).innerText();
  const shows = (name: string, what: RegExp, withinMs?: number) =>
    until(`${name} shows ${what}`, async () => what.test(await text(name).catch(() => '')), withinMs);
  const freshness = (state: string, withinMs?: number) =>
    until(
      `the screen says ${state}`,
      async () =>
        (await page
          .getByTestId('freshness')
          .getAttribute('data-state')
          .catch(() => '')) === state,
      withinMs,
    );
  const counters = async () => (await organizer.get('/readyz')).body.sockets as { resumes: Record<string, number> };
  const ask = async (question: string) =>
    (await organizer.send('ask-question', { session: 's1', text: question })).subject;

  beforeAll(async () => {
    database = await createTestDatabase();
    await startProjector();
    await startGateway();
    proxy = await startProxy(Number(new URL(gateway.url).port));
    const tokens = await createTokens(database.pool);
    organizer = api(
      () => gateway.url,
      await tokens.issue({ actor: 'olga', role: 'organizer', conference: '*' }, 3_600),
    );
    screenToken = await tokens.issue({ actor: 'wall', role: 'screen', conference: 'demo' }, 3_600);
    await openDemo(organizer);
    browser = await launch();
    page = await (await browser.newContext({ viewport: { width: 1280, height: 720 }, locale: 'en-GB' })).newPage();
    await page.goto(screenUrl());
    await freshness('live');
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    await proxy?.close();
    await Promise.all([gateway?.end('SIGTERM'), projector?.end('SIGTERM')]);
    await database?.drop();
  });

  it('shows what is on once it was started, what is next, and a delay and a cancellation with their reasons', async () => {
    await shows('now', /Nothing is on/);
    await organizer.send('start-session', { session: 's1' });
    await shows('now', /Safe roll-out of models[\s\S]*min left/);
    await shows('next', /Ten years of a free authority/);
    const later = new Date(Date.now() + 80 * 60_000).toISOString();
    await organizer.send('delay-session', { session: 's2', expectedStart: later, reason: 'the train' });
    await shows('next', /delayed[\s\S]*the train/);
    await organizer.send('cancel-session', { session: 's2', reason: 'illness' });
    await shows('changes', /cancelled[\s\S]*illness/);
    await organizer.send('restore-session', { session: 's2' });
  });

  it('a question asked, approved and taken by commands stands on the screen, whatever is in it', async () => {
    const question = await ask('How do you <script>roll back</script> a model, مرحبا 👩‍🚒?');
    await organizer.send('approve-question', { question });
    await shows('top', /roll back/);
    await organizer.send('take-question', { question });
    await shows('taken', /How do you <script>roll back<\/script> a model, مرحبا 👩‍🚒\?/);
    await picture(page, 'screen-taken-1280');
  });

  it('has no scroll bar and no accessibility violation, from 360 px to 4K', async () => {
    for (const [width, height] of [
      [360, 640],
      [1280, 720],
      [3840, 2160],
    ] as const) {
      await page.setViewportSize({ width, height });
      const overflow = await page.evaluate(
        'document.documentElement.scrollHeight > innerHeight || document.documentElement.scrollWidth > innerWidth',
      );
      expect({ width, overflow }).toEqual({ width, overflow: false });
      await picture(page, `screen-${width}`);
    }
    await page.setViewportSize({ width: 1280, height: 720 });
    const { violations } = await new AxeBuilder({ page: page as never }).analyze();
    expect(violations.map(({ id }) => id)).toEqual([]);
  });

  it('I6: cut off for 20 s while things change, it shows its age, then resumes by version, never by snapshot', async () => {
    const before = await counters();
    proxy.cut();
    const cutAt = performance.now();
    await freshness('reconnecting', 15_000);
    expect(await text('freshness')).toMatch(/last updated \d\d:\d\d/);
    await picture(page, 'screen-cut');
    const question = await ask('Asked while the wall was cut off?');
    await organizer.send('approve-question', { question });
    await organizer.send('take-question', { question });
    await until('20 s are over', () => performance.now() - cutAt > 20_000, 25_000);
    expect(await text('taken')).not.toMatch(/cut off/);
    proxy.heal();
    await shows('taken', /Asked while the wall was cut off/, 25_000);
    await freshness('live');
    const after = await counters();
    expect((after.resumes.changes ?? 0) - (before.resumes.changes ?? 0)).toBeGreaterThanOrEqual(1);
    expect((after.resumes.snapshot ?? 0) - (before.resumes.snapshot ?? 0)).toBe(0);
  }, 90_000);

  it('resumes after its gateway was restarted', async () => {
    await gateway.end('SIGKILL');
    await freshness('reconnecting', 15_000);
    await startGateway();
    await freshness('live', 25_000);
    const question = await ask('Asked after the restart?');
    await organizer.send('approve-question', { question });
    await shows('top', /Asked after the restart/);
  }, 60_000);

  it('I7: the projector alone killed, the screen says within 9 s that the feed is late, and recovers by itself', async () => {
    const before = performance.now();
    await projector.end('SIGKILL');
    await freshness('late', 9_500);
    expect(performance.now() - before).toBeLessThan(9_500);
    expect(await text('freshness')).toMatch(/the feed is late/);
    await picture(page, 'screen-late');
    await startProjector();
    await freshness('live', 15_000);
  }, 60_000);
});
