// `npm run bench:desk`: is a desk usable with 1,000 questions while 200 votes a second come in? Measured in a real browser, printed, never asserted.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { chromium } from 'playwright-core';

const [QUESTIONS, VOTES_PER_SECOND, VOTERS, SECONDS] = [1_000, 200, 500, 15];
const folder = mkdtempSync(path.join(tmpdir(), 'hallway-bench-'));
const service = spawn(process.execPath, ['dist/src/cli/main.js', 'start'], {
  env: { PATH: process.env.PATH, DATA_DIR: folder, PORT: '0', LOG_LEVEL: 'warn', HALLWAY_DEMO: 'off' },
  stdio: ['ignore', 'pipe', 'inherit'],
});
await new Promise((resolve) => service.stdout.on('data', (chunk) => String(chunk).includes('is ready') && resolve()));
const { url } = JSON.parse(readFileSync(path.join(folder, 'service.json'), 'utf8'));
const organizer = readFileSync(path.join(folder, 'organizer.token'), 'utf8');
const post = async (route, body, token = organizer) => {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  const response = await fetch(url + route, { method: 'POST', body: JSON.stringify(body), headers });
  return response.json();
};
const send = (type, data, token) => post('/v1/conferences/bench/commands', { id: crypto.randomUUID(), type, data }, token);
const inChunks = async (count, act) => {
  for (let from = 0; from < count; from += 50)
    await Promise.all(Array.from({ length: Math.min(50, count - from) }, (_, index) => act(from + index)));
};

await send('open-conference', { title: 'Bench', timeZone: 'Europe/Berlin' });
await send('define-rooms', { rooms: [{ id: 'a', name: 'Hall A', order: 1 }] });
const at = (minutes) => new Date(Date.now() + minutes * 60_000).toISOString();
await send('schedule-session', { id: 's1', title: 'AMA', kind: 'ama', room: 'a', start: at(-1), end: at(59) });
await send('open-questions', { session: 's1', mode: 'open' });
const voters = [];
await inChunks(VOTERS, async (index) => {
  voters[index] = (await post('/v1/conferences/bench/tokens', { role: 'attendee' })).token;
});
const questions = [];
await inChunks(QUESTIONS, async (index) => {
  const text = `Question ${index}: ${'what would you do differently, and why? '.repeat(1 + (index % 4))}`;
  questions[index] = (await send('ask-question', { session: 's1', text }, voters[index % VOTERS])).subject;
});

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((file) => existsSync(file));
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
await context.addInitScript((token) => localStorage.setItem('hallway.organizer', token), organizer);
const page = await context.newPage();
const opened = performance.now();
await page.goto(`${url}/c/bench/desk/s1`);
await page.getByTestId('public').locator('[data-question]').nth(QUESTIONS - 1).waitFor({ state: 'attached' });
const shown = performance.now() - opened;

await page.evaluate(() => {
  const measured = { frames: [], delays: [] };
  window.measured = measured;
  let last = performance.now();
  const frame = (now) => {
    measured.frames.push(now - last);
    last = now;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  // From the key to the next painted frame, as the person feels it.
  addEventListener('keydown', ({ timeStamp }) => requestAnimationFrame(() => setTimeout(() => measured.delays.push(performance.now() - timeStamp))), true);
});
let voted = 0;
let answered = 0;
const end = performance.now() + SECONDS * 1_000;
const voting = (async () => {
  const started = performance.now();
  while (performance.now() < end) {
    const due = Math.floor(((performance.now() - started) / 1_000) * VOTES_PER_SECOND);
    for (; voted < due; voted++) {
      const question = questions[(voted * 7) % QUESTIONS];
      send('upvote-question', { question }, voters[(voted + 3) % VOTERS]).then(() => answered++);
    }
    await wait(20);
  }
})();
await wait(1_000);
while (performance.now() < end - 1_000) {
  await page.keyboard.press('j');
  await wait(200);
}
const acted = performance.now();
await page.keyboard.press('n');
await page.getByTestId('notices').getByText('Up next').waitFor();
const actTook = performance.now() - acted;
await voting;
const { frames, delays } = await page.evaluate(() => window.measured);
const quantile = (values, q) => [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(q * values.length))] ?? Number.NaN;
const perSecond = (1_000 * frames.length) / frames.reduce((sum, one) => sum + one, 0);
console.log(`machine: ${cpus().length} cores, Node ${process.version}; service, votes and browser share them`);
console.log(`votes: ${(voted / SECONDS).toFixed(0)}/s sent, ${(answered / SECONDS).toFixed(0)}/s answered`);
console.log(`desk with ${QUESTIONS} questions complete:    ${(shown / 1_000).toFixed(1)} s`);
console.log(`frames:                                ${perSecond.toFixed(0)}/s, longest pause ${Math.max(...frames).toFixed(0)} ms`);
console.log(`key → next painted frame:              p50 ${quantile(delays, 0.5).toFixed(0)} ms, p95 ${quantile(delays, 0.95).toFixed(0)} ms (${delays.length} keys)`);
console.log(`an act (key → "Up next" said):         ${actTook.toFixed(0)} ms`);
await browser.close();
service.kill('SIGINT');
await new Promise((resolve) => service.once('exit', resolve));
rmSync(folder, { recursive: true, force: true });
