import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { launch, needsChromium, picture } from '../support/browser.js';
import { type Device, type DeviceOptions, openDevice, PHONE } from '../support/people.js';
import { openDemo, until } from '../support/process.js';
import { type Running, startRunning } from '../support/running.js';

const suite = needsChromium() ? describe : describe.skip;
const SESSION = '/c/demo/s/s1';
const DESK = '/c/demo/desk/s1';

suite('a conference that people take part in, in real browsers', () => {
  const devices: Device[] = [];
  let running: Running;
  let browser: Browser;
  let phone: Device;
  let desk: Device;
  let wall: Device;
  let organizer: Device;

  const waits = (page: Page, name: string, what: RegExp, withinMs?: number) =>
    until(
      `${name} shows ${what}`,
      async () =>
        what.test(
          await page
            .getByTestId(name)
            .innerText({ timeout: 1_000 })
            .catch(() => ''),
        ),
      withinMs,
    );
  const device = async (options: DeviceOptions = {}) => {
    const opened = await openDevice(browser, running.service.url, options);
    devices.push(opened);
    return opened;
  };
  const ask = async ({ page }: Device, text: string) => {
    await page.getByRole('textbox', { name: 'Your question' }).fill(text);
    await page.getByTestId('ask').getByRole('button', { name: 'Send' }).click();
  };
  const card = ({ page }: Device, text: string) => page.locator('[data-question]', { hasText: text });

  beforeAll(async () => {
    running = await startRunning();
    await openDemo(running.organizer);
    await running.organizer.send('start-session', { session: 's1' });
    browser = await launch();
    wall = await device({ locale: 'en-GB' });
    await wall.open(`/screen?c=demo&room=a#token=${await running.token('screen', 'wall')}`);
    organizer = await device({ kept: { organizer: await running.token('organizer', 'olga') } });
    await organizer.open('/c/demo/organize');
    await Promise.all([wall.freshness('live'), organizer.freshness('live')]);
  }, 60_000);

  afterAll(async () => {
    for (const device of devices) await device.close();
    await browser?.close();
    await running?.stop();
  });

  it('a phone joins by what the wall shows, a moderator by the link the organizer made', async () => {
    const address = await wall.page.locator('.join__address').innerText();
    const code = await wall.page.locator('.join__code').innerText();
    phone = await device(PHONE);
    await phone.open(`${address.slice(address.indexOf('/'))}#code=${code}`);
    await phone.freshness('live');
    await phone.open(SESSION);
    await phone.freshness('live');

    await organizer.page.getByTestId('moderators').getByLabel('Name').fill('Mo');
    await organizer.page.getByRole('button', { name: 'Make a link' }).click();
    const link = await organizer.page.getByTestId('moderator-link').getByRole('link').getAttribute('href');
    desk = await device();
    await desk.open(new URL(link ?? '').pathname + new URL(link ?? '').hash);
    await desk.page.getByRole('link', { name: 'Safe roll-out of models' }).click();
    await desk.freshness('live');
    await waits(organizer.page, 'moderators', /Mo · all sessions/);
  }, 60_000);

  it('I8: phone asks, desk approves and takes by keys, the wall shows it large', async () => {
    const text = 'How do you roll back a model that learned from its own output?';
    const asked = performance.now();
    await ask(phone, text);
    await waits(phone.page, 'mine', /waits for the moderators/);
    await card(desk, text).waitFor();
    const onDesk = performance.now();
    await desk.page.keyboard.press('j');
    await desk.page.keyboard.press('a');
    await desk.page.getByTestId('public').locator('[data-question]', { hasText: text }).waitFor();
    const approved = performance.now();
    await desk.page.getByTestId('public').locator('[data-question]', { hasText: text }).focus();
    await desk.page.keyboard.press('t');
    await waits(wall.page, 'taken', /roll back a model/);
    const shown = performance.now();
    process.stdout.write(
      `phone → desk ${Math.round(onDesk - asked)} ms, desk → public ${Math.round(approved - onDesk)} ms, ` +
        `taken → wall ${Math.round(shown - approved)} ms\n`,
    );
    await waits(phone.page, 'taken', /roll back a model/);
    await waits(phone.page, 'mine', /on stage now/);
    await picture(wall.page, 'wall-taken');
    await picture(phone.page, 'phone-taken');
    await picture(desk.page, 'desk-taken');
  }, 60_000);

  it('two desks on one question: one wins, the other reads why its act had no effect', async () => {
    const other = await device({
      kept: { organizer: await running.token('organizer', 'otto') },
    });
    await other.open(DESK);
    await other.freshness('live');
    await ask(phone, 'Who wins?');
    const buttons = [desk, other].map((device) => card(device, 'Who wins?').getByRole('button', { name: 'Approve' }));
    await Promise.all(buttons.map((button) => button.waitFor()));
    // The other's network stands still until the first has won: then both acted on what they saw.
    other.network.cut();
    await buttons[1]?.click();
    await buttons[0]?.click();
    await waits(desk.page, 'notices', /Approved/);
    other.network.heal();
    await waits(other.page, 'notices', /already approved/, 20_000);
  }, 60_000);

  it('what one reads under the pointer stays in its place while others come', async () => {
    await ask(phone, 'Stays here');
    await card(desk, 'Stays here').waitFor();
    const place = await card(desk, 'Stays here').boundingBox();
    await desk.page.mouse.move((place?.x ?? 0) + 20, (place?.y ?? 0) + 10);
    await ask(phone, 'Comes later');
    await card(desk, 'Comes later').waitFor();
    await running.organizer.send('approve-question', {
      question: (await card(desk, 'Stays here').getAttribute('data-question')) ?? '',
    });
    await waits(desk.page, 'waiting', /handled/);
    expect((await card(desk, 'Stays here').first().boundingBox())?.y).toBe(place?.y);
    await desk.page.mouse.move(5, 5);
    await desk.page.getByRole('heading', { level: 1 }).click();
  }, 60_000);

  it('I10: an act is taken back by the key u', async () => {
    await card(desk, 'Comes later').focus();
    await desk.page.keyboard.press('4');
    await waits(phone.page, 'mine', /not shown[\s\S]*it is unkind/);
    await desk.page.keyboard.press('u');
    await waits(desk.page, 'notices', /Taken back/);
    await until('it waits again', async () => !/unkind/.test(await phone.page.getByTestId('mine').innerText()));
  }, 60_000);

  it('shortcuts of the desk can be turned off, and stay off until they are turned on', async () => {
    const isOpen = () => desk.page.getByRole('dialog', { name: 'Keys' }).isVisible();
    const turn = async () => {
      await desk.page.getByRole('button', { name: /^Keys/ }).click();
      await desk.page.getByLabel('Use these keys as shortcuts').click();
      await desk.page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
    };
    await turn();
    await desk.page.reload();
    await desk.freshness('live');
    await desk.page.keyboard.press('?');
    expect(await isOpen()).toBe(false);
    await turn();
    await desk.page.keyboard.press('?');
    expect(await isOpen()).toBe(true);
    await desk.page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
  }, 60_000);

  it('the laptop is closed in the middle of it: the desk goes on, on a phone', async () => {
    await desk.page.keyboard.press('?');
    await desk.page.getByRole('button', { name: 'Go on another device' }).click();
    const link = await desk.page.locator('dialog a').getAttribute('href');
    await desk.close();
    desk = await device(PHONE);
    await desk.open(new URL(link ?? '').pathname + new URL(link ?? '').hash);
    await desk.page.getByRole('link', { name: 'Safe roll-out of models' }).click();
    await desk.freshness('live');
    await waits(desk.page, 'stage', /roll back a model/);
    await desk.page.getByTestId('public').getByRole('button', { name: 'Answered' }).first().click();
    await until('the wall is free', async () => (await wall.page.getByTestId('taken').count()) === 0);
    await picture(desk.page, 'desk-phone');
  }, 60_000);

  it('a vote counts at once and is taken back', async () => {
    const other = await device({ ...PHONE, kept: { 'attendee.demo': await running.token('attendee', 'anna') } });
    await other.open(SESSION);
    await other.freshness('live');
    const vote = other.page.getByTestId('questions').getByRole('button').first();
    await vote.click();
    await until('it counts', async () => ((await vote.getAttribute('aria-label')) ?? '').endsWith(' 1 vote'));
    await until('it stands', async () => (await vote.getAttribute('aria-pressed')) === 'true');
    await vote.click();
    await until('it is gone', async () => ((await vote.getAttribute('aria-label')) ?? '').endsWith(' 0 votes'));
  }, 60_000);

  it('an update is on wall and phone; an emergency is asked for twice, takes over, and ends with "all clear"', async () => {
    const form = organizer.page.getByTestId('post-update');
    await form.getByLabel('Text').fill('Lunch is served in the garden.');
    await form.getByRole('button', { name: 'Post', exact: true }).click();
    await waits(wall.page, 'ticker', /Lunch is served/);
    await form.getByLabel('How urgent').selectOption('emergency');
    await form.getByLabel('Text').fill('Leave the building by the nearest exit.');
    await form.getByRole('button', { name: 'Post', exact: true }).click();
    await organizer.page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    expect(await wall.page.getByTestId('emergency').count()).toBe(0);
    await form.getByRole('button', { name: 'Post', exact: true }).click();
    await organizer.page.getByRole('button', { name: 'Yes, post the emergency' }).click();
    for (const { page } of [wall, phone, desk]) await waits(page, 'emergency', /nearest exit/);
    expect(await wall.violations()).toEqual([]);
    await picture(wall.page, 'wall-emergency');
    await picture(phone.page, 'phone-emergency');
    await organizer.page.getByRole('button', { name: 'All clear' }).click();
    for (const { page } of [wall, phone]) await waits(page, 'all-clear', /all clear/i);
  }, 60_000);
});
