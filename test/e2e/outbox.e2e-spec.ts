import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { LAN_NAME, launch, needsChromium, picture } from '../support/browser.js';
import { type Device, type DeviceOptions, openDevice, PHONE } from '../support/people.js';
import { openDemo, until } from '../support/process.js';
import { type Running, startRunning } from '../support/running.js';

const suite = needsChromium() ? describe : describe.skip;
const SESSION = '/c/demo/s/s1';

suite('what somebody writes and presses on a phone, whatever the network does', () => {
  const devices: Device[] = [];
  let running: Running;
  let browser: Browser;

  const attendee = async (actor: string, options: DeviceOptions = {}) => {
    const kept = { 'attendee.demo': await running.token('attendee', actor) };
    const opened = await openDevice(browser, running.service.url, { ...PHONE, host: LAN_NAME, kept, ...options });
    devices.push(opened);
    return opened;
  };
  const field = (page: Page) => page.getByTestId('ask').getByRole('textbox', { name: 'Your question' });
  const ask = async (page: Page, text: string) => {
    await field(page).fill(text);
    await page.getByTestId('ask').getByRole('button', { name: 'Send' }).click();
  };
  const shows = (page: Page, name: string, what: RegExp, withinMs?: number) =>
    until(
      `${name} shows ${what}`,
      async () =>
        what.test(
          await page
            .getByTestId(name)
            .first()
            .innerText({ timeout: 1_000 })
            .catch(() => ''),
        ),
      withinMs,
    );
  const own = async (actor: string) => {
    const { body } = await (await running.as('attendee', actor)).get(`/v1/conferences/demo/channels/me/${actor}`);
    const entries = body.entries as [string, number, { questions: { text: string }[]; votes: string[] }][];
    const mine = entries.find(([key]) => key === 'session/s1')?.[2];
    return { texts: mine?.questions.map(({ text }) => text) ?? [], votes: mine?.votes ?? [] };
  };
  let question: string;

  beforeAll(async () => {
    running = await startRunning();
    await openDemo(running.organizer);
    const bea = await running.as('attendee', 'bea');
    question = (await bea.send('ask-question', { session: 's1', text: 'Vote for this one?' })).subject;
    await running.organizer.send('approve-question', { question });
    browser = await launch();
  }, 60_000);

  afterAll(async () => {
    for (const device of devices) await device.close();
    await browser?.close();
    await running?.stop();
  });

  it('case V11, V44: a vote is pressed once and counted once: neither the answer nor the frames undo it for a moment', async () => {
    const { page, ...phone } = await attendee('anna');
    await phone.open(SESSION);
    const vote = page.getByTestId('questions').getByRole('button').first();
    await vote.waitFor();
    await page.evaluate(`{
      globalThis.seen = [];
      const list = document.querySelector('[data-testid=questions]');
      new MutationObserver(() => {
        const button = list.querySelector('button');
        const state = button.getAttribute('aria-pressed') + ' ' + button.textContent.replace(/\\D/g, '');
        if (seen.at(-1) !== state) seen.push(state);
      }).observe(list, { subtree: true, childList: true, attributes: true, characterData: true });
    }`);
    await vote.click();
    await until('the vote is in the log', async () => (await own('anna')).votes.includes(question));
    await phone.freshness('live');
    // A later change of the same documents has arrived: what followed the vote has been drawn.
    const carl = await running.as('attendee', 'carl');
    await carl.send('upvote-question', { question });
    await until(
      'the next vote is shown',
      async () => (await vote.getAttribute('aria-label'))?.endsWith(' 2 votes') === true,
    );
    expect(await page.evaluate('seen')).toEqual(['true 1', 'true 2']);
  }, 60_000);

  it('case V10: a vote that could not be sent is kept over a reload like a question, and counts once', async () => {
    const { page, network, ...phone } = await attendee('dora');
    await phone.open(SESSION);
    const vote = page.getByTestId('questions').getByRole('button').first();
    await vote.waitFor();
    network.cut();
    await phone.freshness('reconnecting', 30_000);
    await vote.click();
    expect(await vote.getAttribute('aria-pressed')).toBe('true');
    await shows(page, 'unsent', /Your vote: Vote for this one\?[\s\S]*as soon as the connection is back/);
    await picture(page, 'vote-waits');
    await page.goto('about:blank');
    network.heal();
    await phone.open(SESSION);
    await until('the vote counts', async () => (await own('dora')).votes.includes(question), 30_000);
    await until('nothing waits', async () => (await page.getByTestId('unsent').count()) === 0);
  }, 90_000);

  it('case V13: a draft survives another page, Back and a reload, and stays when questions are closed meanwhile', async () => {
    const { page, ...phone } = await attendee('emil');
    await phone.open(SESSION);
    await field(page).fill('Half a thought');
    await page.getByRole('link', { name: 'All sessions' }).click();
    await page.waitForURL((url) => url.pathname === '/c/demo');
    await page.goBack();
    await until('it is there after Back', async () => (await field(page).inputValue()) === 'Half a thought');
    await page.reload();
    await until('it is there after a reload', async () => (await field(page).inputValue()) === 'Half a thought');
    await field(page).focus();
    await running.organizer.send('close-questions', { session: 's1' });
    await shows(page, 'ask', /Questions are closed/);
    expect(await field(page).inputValue()).toBe('Half a thought');
    expect(await page.evaluate('document.activeElement.tagName')).toBe('TEXTAREA');
    await picture(page, 'draft-closed');
    await page.getByTestId('ask').getByRole('button', { name: 'Discard' }).click();
    await until('the form has gone', async () => (await page.getByTestId('ask').count()) === 0);
    await running.organizer.send('open-questions', { session: 's1' });
  }, 60_000);

  it('case V41: a text that is refused when it arrives is back in its field with the reason, also after a reload', async () => {
    const { page, network, ...phone } = await attendee('fred');
    await phone.open(SESSION);
    await field(page).waitFor();
    network.cut();
    await ask(page, 'Too late?');
    await running.organizer.send('close-questions', { session: 's1' });
    network.heal();
    await shows(page, 'ask-reason', /not sent: .*\(208\)/i, 30_000);
    expect(await field(page).inputValue()).toBe('Too late?');
    await page.reload();
    await shows(page, 'ask-reason', /not sent: .*\(208\)/i);
    await picture(page, 'refused-text');
    await running.organizer.send('open-questions', { session: 's1' });
    await page.getByTestId('ask').getByRole('button', { name: 'Send' }).click();
    await shows(page, 'mine', /Too late\?/);
    expect(await page.getByTestId('ask-reason').count()).toBe(0);
  }, 60_000);

  it('case V8: what comes too fast says when it is sent', async () => {
    const { page, ...phone } = await attendee('gina');
    await phone.open(SESSION);
    await phone.freshness('live');
    for (let index = 1; index <= 6; index++) {
      await ask(page, `Question ${index}`);
      if (index < 6) await shows(page, 'mine', new RegExp(`Question ${index}`));
    }
    await shows(page, 'unsent', /Question 6[\s\S]*sent in \d+ s/);
    await picture(page, 'too-fast');
    expect(await page.getByTestId('freshness').getAttribute('data-state')).toBe('live');
  }, 60_000);

  it('case V12: a pasted tab and an open isolate are sent tidied; a text with nothing to see is refused in words, in its field', async () => {
    const { page, ...phone } = await attendee('kim');
    await phone.open(SESSION);
    await phone.freshness('live');
    await ask(page, '\u200b\u3164');
    await shows(page, 'ask-reason', /nothing to see/);
    await ask(page, 'Why\tso\nslow? \u2067שלום');
    await shows(page, 'mine', /slow/);
    expect((await own('kim')).texts).toEqual(['Why so slow? \u2067שלום\u2069']);
    expect(await page.getByTestId('ask-reason').count()).toBe(0);
  }, 60_000);

  it('case V9, V43: damaged and oversized items in the storage are dropped with a message; the rest is sent on one connection', async () => {
    const { page, ...phone } = await attendee('hugo');
    await page.addInitScript(() => {
      const item = { type: 'ask-question', data: { session: 's1', text: 'A good one' }, at: Date.now() };
      const name = 'hallway.outbox.demo.hugo';
      if (localStorage.getItem('planted')) return;
      localStorage.setItem('planted', 'yes');
      localStorage.setItem(`${name}.big`, JSON.stringify({ ...item, id: 'big', data: { text: 'x'.repeat(150_000) } }));
      localStorage.setItem(`${name}.half`, '{"id":"half","at":1}');
      localStorage.setItem(name, 'null');
      localStorage.setItem(`${name}.good`, JSON.stringify({ ...item, id: 'good' }));
    });
    const sockets: string[] = [];
    page.on('websocket', (socket) => sockets.push(socket.url()));
    await phone.open(SESSION);
    await shows(page, 'mine', /A good one/);
    await shows(page, 'notices', /3 saved items were damaged/);
    expect(sockets).toHaveLength(1);
    expect((await own('hugo')).texts).toEqual(['A good one']);
  }, 60_000);

  it('I13: two tabs that were offline together send each text once', async () => {
    const { page, network, ...phone } = await attendee('ines');
    const other = await page.context().newPage();
    await phone.open(SESSION);
    await phone.freshness('live');
    await other.goto(page.url());
    await field(other).waitFor();
    network.cut();
    await ask(page, 'From one tab');
    await ask(other, 'From the other tab');
    network.heal();
    for (const tab of [page, other]) {
      await shows(tab, 'mine', /From one tab/, 40_000);
      await shows(tab, 'mine', /From the other tab/, 40_000);
      await until('nothing waits', async () => (await tab.getByTestId('unsent').count()) === 0);
    }
    expect((await own('ines')).texts.sort()).toEqual(['From one tab', 'From the other tab']);
  }, 90_000);
});
