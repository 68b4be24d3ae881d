import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { launch, needsChromium, picture } from '../support/browser.js';
import { type Device, openDevice, PHONE } from '../support/people.js';
import { type ServiceProcess, startProcess, until } from '../support/process.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const suite = needsChromium() ? describe : describe.skip;

suite('a newcomer on a fresh machine', () => {
  let folder: string;
  let database: TestDatabase | undefined;
  let service: ServiceProcess;
  let browser: Browser;
  const devices: Device[] = [];

  /** Opens what the service printed beside these words. */
  const follow = async (words: RegExp, options = {}) => {
    const printed = service
      .output()
      .split('\n')
      .find((line) => words.test(line));
    const url = new URL(/https?:\S+/.exec(printed ?? '')?.[0] ?? '');
    const device = await openDevice(browser, service.url, options);
    devices.push(device);
    await device.open(url.pathname + url.hash);
    return device;
  };

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'hallway-new-'));
    browser = await launch();
  }, 60_000);

  afterAll(async () => {
    for (const device of devices) await device.close();
    await browser?.close();
    await service?.end('SIGTERM');
    await database?.drop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('from start to a question asked, approved and seen on the wall in under two minutes, by what the screens say', async () => {
    const started = performance.now();
    // On Kafka: with the two addresses, and nothing else set.
    database = process.env.TEST_LOG === 'kafka' ? await createTestDatabase() : undefined;
    const home = database
      ? { DATABASE_URL: database.url, HALLWAY_DEMO: 'on' }
      : { DATA_DIR: path.join(folder, 'data') };
    service = await startProcess({ ...home, LOG_LEVEL: 'warn' });
    await service.printed(/is ready/);
    const wall = await follow(/a wall/);
    await wall.page.getByRole('link', { name: 'Main hall' }).click();
    await wall.freshness('live');
    const phone = await follow(/a phone/, PHONE);
    await phone.page
      .getByRole('link', { name: /Rolling out AI models/ })
      .first()
      .click();
    await phone.page.getByRole('textbox', { name: 'Your question' }).fill('Is this thing on?');
    await phone.page.getByTestId('ask').getByRole('button', { name: 'Send' }).click();
    const desk = await follow(/a desk/);
    await desk.page.getByRole('link', { name: /Rolling out AI models/ }).click();
    const card = desk.page.locator('[data-question]', { hasText: 'Is this thing on?' });
    await card.getByRole('button', { name: 'Approve' }).click();
    await card.getByRole('button', { name: 'On stage' }).click();
    await until('the wall shows it', async () =>
      /Is this thing on/.test(
        await wall.page
          .getByTestId('taken')
          .innerText()
          .catch(() => ''),
      ),
    );
    const seconds = (performance.now() - started) / 1_000;
    process.stdout.write(`a newcomer’s road without reading: ${seconds.toFixed(1)} s\n`);
    expect(seconds).toBeLessThan(120);
    await picture(wall.page, 'docs-wall');
    await picture(phone.page, 'docs-phone');
    await desk.page.evaluate('scrollTo(0, 0)');
    await picture(desk.page, 'docs-desk');
  }, 120_000);

  it('the programme, the updates and other rooms are there, too', async () => {
    const phone = await follow(/a phone/, PHONE);
    await phone.freshness('live');
    await phone.page.getByText('Coffee is in the foyer').waitFor();
    await phone.page
      .getByTestId('room-track-2')
      .getByText(/Ask me anything/)
      .waitFor();
    await picture(phone.page, 'docs-overview');
    expect(await phone.violations()).toEqual([]);
  }, 60_000);

  it('stops within seconds on Ctrl-C', async () => {
    const before = performance.now();
    expect(await service.end('SIGINT')).toBe(0);
    expect(performance.now() - before).toBeLessThan(8_000);
  }, 30_000);
});
