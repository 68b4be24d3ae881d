/** Pages go on as the same person when their token has run out (R1: 301, then with a fresh token). */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { launch, needsChromium } from '../support/browser.js';
import { type Device, openDevice } from '../support/people.js';
import { openDemo, until } from '../support/process.js';
import { type Running, startRunning } from '../support/running.js';

const suite = needsChromium() ? describe : describe.skip;
const DAY = 24 * 3_600;

suite('a page whose token has run out', () => {
  const devices: Device[] = [];
  let running: Running;
  let browser: Browser;

  beforeAll(async () => {
    running = await startRunning();
    await openDemo(running.organizer);
    browser = await launch();
  }, 60_000);
  afterAll(async () => {
    for (const device of devices) await device.close();
    await browser?.close();
    await running?.stop();
  });

  it.each([
    ['attendee', 'a-1', '/c/demo'],
    ['screen', 'wall', '/screen?c=demo&room=a'],
  ] as const)(
    'an %s’s renews it and goes on as the same person; one that is too old is told so',
    async (role, actor, at) => {
      const { tokens } = running.service;
      const identity = { actor, role, conference: 'demo' };
      const ended = await tokens.issue(identity, -DAY);
      const device = await openDevice(browser, running.service.url, { kept: { [`${role}.demo`]: ended } });
      devices.push(device);
      await device.open(at);
      await device.freshness('live');
      const kept = (await device.page.evaluate(`localStorage.getItem('hallway.${role}.demo')`)) as string;
      expect(kept).not.toBe(ended);
      const verified = await tokens.verify(kept);
      expect(verified.identity).toEqual(identity);

      const old = await openDevice(browser, running.service.url, {
        kept: { [`${role}.demo`]: await tokens.issue(identity, -8 * DAY) },
      });
      devices.push(old);
      await old.open(at);
      await until('it says why', async () => /301/.test(await old.page.locator('body').innerText()), 60_000);
    },
    60_000,
  );
});
