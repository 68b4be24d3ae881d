import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { LAN_NAME, launch, needsChromium } from '../support/browser.js';
import { type Device, type DeviceOptions, openDevice, PHONE } from '../support/people.js';
import { openDemo, until } from '../support/process.js';
import { type Running, startRunning } from '../support/running.js';

const suite = needsChromium() ? describe : describe.skip;
const MINUTE = 60_000;

/** The device's wall clock is set by so many milliseconds; its monotonic clock goes on as it is. */
const SETTABLE_CLOCK = `{
  const RealDate = Date;
  let shift = 0;
  globalThis.shiftClock = (ms) => (shift = ms);
  globalThis.Date = class extends RealDate {
    constructor(...given) {
      super(...(given.length > 0 ? given : [RealDate.now() + shift]));
    }
    static now() {
      return RealDate.now() + shift;
    }
  };
}`;

suite('devices that sleep, lose their network, or have their clock set', () => {
  const devices: Device[] = [];
  let running: Running;
  let browser: Browser;

  const device = async (options: DeviceOptions) => {
    const opened = await openDevice(browser, running.service.url, { host: LAN_NAME, ...options });
    await opened.page.addInitScript(SETTABLE_CLOCK);
    devices.push(opened);
    return opened;
  };
  const phone = async (actor: string) => {
    const opened = await device({ ...PHONE, kept: { 'attendee.demo': await running.token('attendee', actor) } });
    await opened.open('/c/demo');
    await opened.freshness('live');
    return opened;
  };
  const state = ({ page }: Device) => page.getByTestId('freshness').getAttribute('data-state');

  beforeAll(async () => {
    running = await startRunning();
    await openDemo(running.organizer);
    await running.organizer.send('start-session', { session: 's1' });
    browser = await launch();
  }, 60_000);

  afterAll(async () => {
    for (const device of devices) await device.close();
    await browser?.close();
    await running?.stop();
  });

  it('case V5, V39: woken after ten minutes a phone says within a second that it is not live, and is live again at once', async () => {
    const sleeper = await phone('anna');
    const sockets: string[] = [];
    sleeper.page.on('websocket', (socket) => sockets.push(socket.url()));
    await sleeper.page.evaluate(`{
      globalThis.seen = [];
      const node = document.querySelector('[data-testid=freshness]');
      new MutationObserver(() => seen.push(node.dataset.state)).observe(node, { attributes: true });
    }`);
    sleeper.network.swallow();
    await sleeper.page.evaluate(`shiftClock(${10 * MINUTE}); document.dispatchEvent(new Event('visibilitychange'))`);
    const told = await until(
      'it says that it is not live',
      async () => ((await sleeper.page.evaluate('seen')) as string[]).includes('reconnecting'),
      1_500,
    );
    const back = await until('it is live again', async () => (await state(sleeper)) === 'live', 4_000);
    process.stdout.write(`woken: told after ${Math.round(told)} ms, live ${Math.round(back)} ms later\n`);
    expect(sockets).toHaveLength(1);
  }, 60_000);

  it('case V19: screen, phone and desk say the same times of a session that began late', async () => {
    const at = (minutes: number) => new Date(Date.now() + minutes * MINUTE).toISOString();
    const late = { id: 'late', title: 'Began late', room: 'b', start: at(-5), end: at(15) };
    await running.organizer.send('schedule-session', late);
    await running.organizer.send('start-session', { session: 'late' });
    const wall = await device({});
    await wall.open(`/screen?c=demo&room=b#token=${await running.token('screen', 'wall')}`);
    const hand = await phone('carl');
    await hand.open('/c/demo/s/late');
    const desk = await device({ kept: { organizer: await running.token('organizer', 'olga') } });
    await desk.open('/c/demo/desk/late');
    const times = async ({ page }: Device, name: string) =>
      /\d\d:\d\d – \d\d:\d\d/.exec(await page.getByTestId(name).innerText())?.[0];
    const shown = [await times(wall, 'now'), await times(hand, 'times'), await times(desk, 'times')];
    const minutes = (hhmm = '') => Number(hhmm.slice(0, 2)) * 60 + Number(hhmm.slice(3));
    const [start, end] = shown[0]?.split(' – ').map(minutes) ?? [];
    expect([new Set(shown).size, ((end ?? 0) - (start ?? 0) + 1440) % 1440]).toEqual([1, 20]);
    expect(await hand.page.getByTestId('times').innerText()).toMatch(/planned \d\d:\d\d/);
  }, 60_000);

  it('case V6: a phone that was without network is live within two seconds of being online again', async () => {
    const walker = await phone('berta');
    walker.network.cut();
    await walker.freshness('reconnecting', 30_000);
    walker.network.heal();
    await walker.page.evaluate(`dispatchEvent(new Event('online'))`);
    expect(await until('it is live', async () => (await state(walker)) === 'live', 5_000)).toBeLessThan(2_500);
  }, 60_000);

  it('case V7, V40: a clock that is set by seven minutes moves neither the time on a screen nor its countdown', async () => {
    const wall = await device({});
    await wall.open(`/screen?c=demo&room=a#token=${await running.token('screen', 'wall')}`);
    await wall.freshness('live');
    await wall.page.locator('.countdown').waitFor();
    await wall.page.evaluate(`{
      globalThis.seen = new Set();
      const look = () => {
        const clock = document.querySelector('[data-testid=clock]').textContent;
        seen.add(clock + ' ' + document.querySelector('.countdown').textContent);
      };
      look();
      new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
    }`);
    for (const shift of [-7 * MINUTE, 7 * MINUTE, 0]) {
      await wall.page.evaluate(`shiftClock(${shift})`);
      // Two drawings and a beacon later.
      await wall.page.evaluate(`new Promise((resolve) => setTimeout(resolve, 2_200))`);
    }
    const seen = (await wall.page.evaluate('[...seen]')) as string[];
    // A minute may have passed meanwhile; nothing else may have changed.
    expect(new Set(seen.map((one) => one.replace(/\d+/g, '#'))).size).toBe(1);
    expect(new Set(seen.map((one) => one.slice(0, 5))).size).toBeLessThanOrEqual(2);
    expect(seen.length).toBeLessThanOrEqual(3);
  }, 60_000);
});
