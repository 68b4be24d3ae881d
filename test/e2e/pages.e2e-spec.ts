import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { launch, needsChromium, picture } from '../support/browser.js';
import { type Device, type DeviceOptions, openDevice, PHONE } from '../support/people.js';
import { openDemo, until } from '../support/process.js';
import { type Running, startRunning } from '../support/running.js';

const suite = needsChromium() ? describe : describe.skip;

/** Long words, right to left, emoji, markup: none may break a page or act. */
const HOSTILE = [
  'Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft'.repeat(3),
  'كيف تتراجعون عن نموذج تعلّم من مخرجاته؟',
  '👩‍🚒🏳️‍🌈🇺🇳 '.repeat(20),
  '<img src=x onerror="document.title=\'taken over\'"><script>document.title="taken over"</script>',
];

/** Never half of a character: the service refuses those. */
const begin = (text: string, length: number): string =>
  [...new Intl.Segmenter().segment(text)]
    .map(({ segment }) => segment)
    .reduce((all, segment) => (all.length + segment.length > length ? all : all + segment), '')
    .trim();

suite('pages under bad networks, hostile content, foreign clocks', () => {
  const devices: Device[] = [];
  let running: Running;
  let browser: Browser;

  const device = async (options: DeviceOptions = {}) => {
    const opened = await openDevice(browser, running.service.url, options);
    devices.push(opened);
    return opened;
  };
  const attendee = async (actor: string, options: DeviceOptions = PHONE) =>
    device({ ...options, kept: { 'attendee.demo': await running.token('attendee', actor) } });
  const organizer = async (options: DeviceOptions = {}) =>
    device({ ...options, kept: { organizer: await running.token('organizer', 'olga') } });
  const says = ({ page }: Device, name: string, what: RegExp, withinMs?: number) =>
    until(
      `${name} shows ${what}`,
      async () => {
        const text = await page
          .getByTestId(name)
          .innerText({ timeout: 1_000 })
          .catch(() => '');
        return what.test(text);
      },
      withinMs,
    );
  const fits = ({ page }: Device) =>
    page.evaluate<boolean>('document.documentElement.scrollWidth <= document.documentElement.clientWidth');

  beforeAll(async () => {
    running = await startRunning();
    const { send } = running.organizer;
    await openDemo(running.organizer);
    await send('start-session', { session: 's1' });
    await send('open-discussion', { session: 's1' });
    browser = await launch();
  }, 60_000);

  afterAll(async () => {
    for (const one of devices) await one.close();
    await browser?.close();
    await running?.stop();
  });

  it('first views are under 100 kB compressed, the join page is one response of at most 30 kB', async () => {
    for (const path of ['/c/demo', '/c/demo/desk', '/c/demo/organize', '/screen?c=demo&room=a', '/']) {
      const one = await device();
      const bodies: Promise<number>[] = [];
      one.page.on('response', (response) => {
        bodies.push(
          response.body().then(
            (body) => gzipSync(body).length,
            () => 0,
          ),
        );
      });
      await one.open(path);
      await one.page.waitForLoadState('networkidle');
      const total = (await Promise.all(bodies)).reduce((sum, size) => sum + size, 0);
      expect(total).toBeGreaterThan(1_000);
      expect(total).toBeLessThan(100_000);
      await one.close();
    }
    const join = await device();
    const answers: string[] = [];
    join.page.on('response', (response) => answers.push(response.url()));
    await join.open('/c/demo/join');
    await join.page.getByRole('button', { name: 'Join' }).waitFor();
    expect(answers).toHaveLength(1);
    const response = await fetch(`${running.service.url}/c/demo/join`);
    expect((await response.arrayBuffer()).byteLength).toBeLessThanOrEqual(30_000);
    await join.page.getByLabel('Code of the conference').fill('WRONG1');
    await join.page.getByRole('button', { name: 'Join' }).click();
    await join.page.getByRole('alert').getByText('This code is not').waitFor();
    expect(await join.violations()).toEqual([]);
  }, 60_000);

  it('a phone that is cut off keeps what was written and sends it once, when it is back', async () => {
    const phone = await attendee('anna');
    await phone.open('/c/demo/s/s1');
    await phone.freshness('live');
    await phone.page.getByTestId('ask').waitFor();
    phone.network.cut();
    await phone.page.getByRole('textbox', { name: 'Your question' }).fill('Written in a tunnel');
    await phone.page.getByTestId('ask').getByRole('button', { name: 'Send' }).click();
    await says(phone, 'unsent', /Written in a tunnel/);
    await phone.freshness('reconnecting', 30_000);
    // The tab is gone, too; what was written is kept in the browser.
    await phone.page.goto('about:blank');
    phone.network.heal();
    await phone.open('/c/demo/s/s1');
    await says(phone, 'mine', /Written in a tunnel/, 30_000);
    expect(await phone.page.getByTestId('mine').locator('li').count()).toBe(1);
    await until('nothing waits', async () => (await phone.page.getByTestId('unsent').count()) === 0);
  }, 90_000);

  it('what waited longer than two minutes is asked about before it is sent', async () => {
    const phone = await attendee('berta');
    await phone.page.addInitScript((at) => {
      const item = { id: 'old', type: 'ask-question', data: { session: 's1', text: 'Yesterday?' }, at };
      if (!localStorage.getItem('planted')) localStorage.setItem('hallway.outbox.demo.berta.old', JSON.stringify(item));
      localStorage.setItem('planted', 'yes');
    }, Date.now() - 150_000);
    await phone.open('/c/demo/s/s1');
    await phone.freshness('live');
    await says(phone, 'unsent', /Still send it\?/);
    await phone.page.getByRole('button', { name: 'Send it' }).click();
    await says(phone, 'mine', /Yesterday\?/);
  }, 60_000);

  it('a desk that is cut off says so; what was clicked acts once it is back', async () => {
    const desk = await organizer();
    await desk.open('/c/demo/desk/s1');
    await desk.freshness('live');
    const waiting = desk.page.getByTestId('waiting').locator('[data-question]', { hasText: 'Yesterday?' });
    await waiting.waitFor();
    desk.network.cut();
    await waiting.getByRole('button', { name: 'Approve' }).click();
    expect(await waiting.getAttribute('aria-busy')).toBe('true');
    await desk.freshness('reconnecting', 30_000);
    desk.network.heal();
    await desk.page
      .getByTestId('public')
      .locator('[data-question]', { hasText: 'Yesterday?' })
      .waitFor({ timeout: 20_000 });
    await desk.freshness('live', 20_000);
  }, 90_000);

  it('hostile content stays text and stays inside, on phone, desk and wall', async () => {
    const { send } = running.organizer;
    for (const [index, text] of HOSTILE.entries()) {
      await send('amend-session', {
        session: index % 2 ? 's1' : 's2',
        title: begin(text, 200),
        speakers: [begin(text, 60)],
      });
      const { subject } = await send('ask-question', {
        session: 's1',
        text: begin(text, 500),
        name: begin(text, 20),
      });
      await send('approve-question', { question: subject });
      await send('post-message', { session: 's1', text });
      await send('post-update', { texts: { en: text } });
    }
    const phone = await attendee('clara');
    const small = await organizer(PHONE);
    const wall = await device();
    await wall.open(`/screen?c=demo&room=a#token=${await running.token('screen', 'wall')}`);
    await wall.freshness('live');
    for (const [one, path] of [
      [phone, '/c/demo'],
      [phone, '/c/demo/s/s1'],
      [small, '/c/demo/desk/s1'],
      [small, '/c/demo/organize'],
    ] as const) {
      await one.open(path);
      await one.freshness('live');
      await picture(one.page, `hostile${path.replaceAll('/', '-')}`);
      expect([path, await fits(one)]).toEqual([path, true]);
      expect(await one.page.title()).not.toBe('taken over');
      expect(await one.page.locator('img').count()).toBe(0);
    }
    expect(await fits(wall)).toBe(true);
    await picture(wall.page, 'hostile-wall');
  }, 90_000);

  it('a Sunday on which clocks change, read in another zone: times are the conference’s, both zones are named', async () => {
    await running.organizer.send('schedule-session', {
      id: 'night',
      title: 'Through the night',
      room: 'b',
      // 01:30 before and 03:30 after the hour that comes twice: three hours, though clocks show two.
      start: '2026-10-24T23:30:00Z',
      end: '2026-10-25T02:30:00Z',
    });
    const phone = await attendee('dora', { ...PHONE, timezoneId: 'America/New_York' });
    await phone.open('/c/demo/s/night');
    await phone.freshness('live');
    await says(phone, 'times', /Sunday.*01:30 – 03:30/);
    await says(phone, 'zones', /Europe\/Berlin.*America\/New_York/);
  }, 60_000);

  it('axe finds nothing on any page in light and dark, German and English, from 360 to 3840 px', async () => {
    const paths = [
      '/c/demo',
      '/c/demo/s/s1',
      '/c/demo/desk',
      '/c/demo/desk/s1',
      '/c/demo/organize',
      '/c/demo/audit',
      '/',
    ];
    const looks: DeviceOptions[] = [
      { viewport: { width: 360, height: 740 }, colorScheme: 'dark', locale: 'de-DE' },
      { viewport: { width: 1280, height: 800 }, colorScheme: 'light' },
    ];
    for (const look of looks) {
      const one = await organizer(look);
      for (const path of paths) {
        await one.open(path);
        if (path !== '/') await one.freshness('live');
        expect([path, await one.violations()]).toEqual([path, []]);
        await picture(one.page, `page${path.replaceAll('/', '-')}-${look.viewport?.width}`);
      }
    }
    const large = await organizer({ viewport: { width: 3840, height: 2160 } });
    await large.open('/c/demo/desk/s1');
    await large.freshness('live');
    await picture(large.page, 'page-desk-3840');
    const stranger = await device();
    for (const path of ['/c/demo/desk', '/c/demo/organize', '/c/nowhere/join', '/screen']) {
      await stranger.open(path);
      expect([path, await stranger.violations()]).toEqual([path, []]);
    }
  }, 120_000);
});
