import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { encode } from 'uqr';
import { LAN_NAME, launch, needsChromium, picture } from '../support/browser.js';
import { type Device, type DeviceOptions, openDevice, PHONE } from '../support/people.js';
import { type Api, api, openDemo, until } from '../support/process.js';
import { type Running, startRunning } from '../support/running.js';
import { freePort } from '../support/start-postgres.js';

const suite = needsChromium() ? describe : describe.skip;
const SESSION = '/c/demo/s/s1';

suite('a venue whose phones reach the service by a name on plain http', () => {
  const devices: Device[] = [];
  let running: Running;
  /** This process does not know the name: it uses the address. */
  let organizing: Api;
  let browser: Browser;
  let code: string;

  const device = async (options: DeviceOptions = {}) => {
    const opened = await openDevice(browser, running.service.url, { host: LAN_NAME, ...options });
    devices.push(opened);
    return opened;
  };
  const shows = ({ page }: Device, name: string, what: RegExp) =>
    until(`${name} shows ${what}`, async () =>
      what.test(
        await page
          .getByTestId(name)
          .innerText({ timeout: 1_000 })
          .catch(() => ''),
      ),
    );
  const ask = async ({ page }: Device, text: string) => {
    await page.getByRole('textbox', { name: 'Your question' }).fill(text);
    await page.getByTestId('ask').getByRole('button', { name: 'Send' }).click();
  };

  beforeAll(async () => {
    const port = String(await freePort());
    running = await startRunning({ environment: { PORT: port, PUBLIC_URL: `http://${LAN_NAME}:${port}` } });
    const token = await running.token('organizer', 'olga');
    organizing = api(() => `http://127.0.0.1:${port}`, token);
    await openDemo(organizing);
    const { body } = await organizing.get('/v1/conferences/demo/channels/join');
    code = (body.entries as [string, number, { code: string }][])[0]?.[2].code ?? '';
    browser = await launch();
  }, 60_000);

  afterAll(async () => {
    for (const device of devices) await device.close();
    await browser?.close();
    await running?.stop();
  });

  it('case V1, V2: join by the code on the screen, ask, approve, vote, put on stage, post an update, copy a link', async () => {
    const organizer = await device({ kept: { organizer: await running.token('organizer', 'olga') } });
    await organizer.open('/c/demo/organize');
    await organizer.freshness('live');
    expect(await organizer.page.evaluate('isSecureContext')).toBe(false);
    expect(await organizer.page.getByTestId('codes').locator('strong').innerText()).toBe(code);
    await organizer.page.getByTestId('codes').getByRole('button', { name: 'Copy' }).click();
    await shows(organizer, 'notices', /Copied/);
    const field = organizer.page.getByTestId('post-update').getByLabel('Text');
    await field.press('ControlOrMeta+v');
    expect(await field.inputValue()).toMatch(new RegExp(`^http://hall\\.test:\\d+/c/demo/join#code=${code}$`));
    await field.fill('Lunch is served in the garden.');
    await organizer.page.getByTestId('post-update').getByRole('button', { name: 'Post', exact: true }).click();
    await shows(organizer, 'notices', /Posted/);

    const phone = await device(PHONE);
    await phone.open(`/c/demo/join#code=${code}`);
    await phone.freshness('live');
    await shows(phone, 'updates', /Lunch is served/);
    await phone.open(SESSION);
    await ask(phone, 'Does it work on plain http?');
    await shows(phone, 'mine', /waits for the moderators/);

    await organizer.open('/c/demo/desk/s1');
    const card = organizer.page.locator('[data-question]', { hasText: 'plain http' });
    await card.getByRole('button', { name: 'Approve' }).click();
    const other = await device({ ...PHONE, kept: { 'attendee.demo': await running.token('attendee', 'anna') } });
    await other.open(SESSION);
    const vote = other.page.getByTestId('questions').getByRole('button').first();
    await vote.click();
    await until('it counts', async () => ((await vote.getAttribute('aria-label')) ?? '').endsWith(' 1 vote'));
    await card.getByRole('button', { name: 'On stage' }).click();
    await shows(phone, 'taken', /Does it work on plain http/);
    await picture(phone.page, 'plain-http-phone');
  }, 60_000);

  it('case V15: a link to a session leads there through the code; a room’s code leads to that room', async () => {
    const phone = await device(PHONE);
    await phone.open('/c/demo/s/s2');
    await phone.page.getByLabel('Code of the conference').fill(code);
    await phone.page.getByRole('button', { name: 'Join' }).click();
    await phone.freshness('live');
    expect(new URL(phone.page.url()).pathname).toBe('/c/demo/s/s2');

    const wall = await device();
    await wall.open(`/screen?c=demo&room=b#token=${await running.token('screen', 'wall')}`);
    const drawn = wall.page.getByTestId('join').locator('svg path');
    const { data } = encode(`http://${LAN_NAME}:${wall.network.port}/c/demo/join#code=${code}&room=b`, {
      ecc: 'M',
      border: 2,
    });
    expect(await drawn.getAttribute('d')).toBe(
      data.flatMap((row, y) => row.flatMap((on, x) => (on ? [`M${x} ${y}h1v1h-1z`] : []))).join(''),
    );
    const other = await device({ viewport: { width: 360, height: 300 } });
    await other.open(`/c/demo/join#code=${code}&room=b`);
    await other.freshness('live');
    const room = other.page.getByTestId('room-b');
    expect(await room.getAttribute('data-wanted')).toBe('true');
    await until('the room is in sight', async () => {
      const box = await room.boundingBox();
      return box !== null && box.y >= 0 && box.y < 300;
    });
  }, 60_000);

  it('case V42: a browser that saves nothing joins once, says so, and takes part over pages, reload and Back', async () => {
    const phone = await device({ ...PHONE, storageForbidden: true });
    const joins: string[] = [];
    phone.page.on('request', (request) => {
      if (request.method() === 'POST' && request.url().endsWith('/join')) joins.push(request.url());
    });
    await phone.open(`${SESSION}#code=${code}`);
    await phone.freshness('live');
    await shows(phone, 'forgetful', /saves nothing/);
    await ask(phone, 'Asked without storage');
    await shows(phone, 'mine', /Asked without storage/);
    await phone.page.getByRole('link', { name: 'All sessions' }).click();
    await phone.page.waitForURL((url) => url.pathname === '/c/demo');
    await phone.freshness('live');
    expect(phone.page.url()).not.toContain('visit');
    await phone.page.reload();
    await phone.freshness('live');
    await phone.page.goBack();
    await shows(phone, 'mine', /Asked without storage/);
    expect(joins).toHaveLength(1);
    await picture(phone.page, 'storage-forbidden-phone');
  }, 60_000);

  it('case V42: a browser whose storage is full joins once and says that it forgets', async () => {
    const phone = await device(PHONE);
    await phone.page.addInitScript(() => {
      // Halved until not even one character more fits.
      for (let length = 8_000_000; length >= 1; length = Math.floor(length / 2)) {
        for (let index = 0; index < 2; index++) {
          try {
            localStorage.setItem(`fill.${length}.${index}`, 'x'.repeat(length));
          } catch {
            break;
          }
        }
      }
    });
    await phone.open(`${SESSION}#code=${code}`);
    await phone.freshness('live');
    await shows(phone, 'forgetful', /its storage is full/);
    await phone.page.reload();
    await phone.freshness('live');
  }, 60_000);

  it('case V42: a one-time link is not spent in a browser that saves nothing until the person says so', async () => {
    const { body } = await organizing.post('/v1/conferences/demo/tokens', {
      role: 'moderator',
      link: true,
      sessions: 'all',
      name: 'Mo',
    });
    const link = new URL(String(body.url));
    expect(link.origin).toMatch(/^http:\/\/hall\.test:/);
    const desk = await device({ storageForbidden: true });
    const redeemed: string[] = [];
    desk.page.on('request', (request) => {
      if (request.method() === 'POST' && request.url().includes('/v1/links/')) redeemed.push(request.url());
    });
    await desk.open(link.pathname + link.hash);
    await desk.page.getByRole('alert').getByText('The link works once').waitFor();
    expect(redeemed).toEqual([]);
    await desk.page.getByRole('button', { name: 'Use it here, for this visit' }).click();
    await desk.page.getByRole('link', { name: 'Safe roll-out of models' }).click();
    await desk.freshness('live');
    await desk.page.locator('[data-question]', { hasText: 'Asked without storage' }).waitFor();
    expect(redeemed).toHaveLength(1);
  }, 60_000);
});
