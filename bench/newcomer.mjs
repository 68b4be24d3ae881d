// `npm run bench:newcomer`: the two times a newcomer feels, measured on the built service: an import, and command → screen. Printed, never asserted.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { createFeedClient } from '../dist/libs/feed-client/index.js';

const ROUNDS = 60;
const SESSIONS = 1_000;
const folder = mkdtempSync(path.join(tmpdir(), 'hallway-bench-'));
const service = spawn(process.execPath, ['dist/src/cli/main.js', 'start'], {
  env: { PATH: process.env.PATH, DATA_DIR: folder, PORT: '0', LOG_LEVEL: 'warn', HALLWAY_DEMO: 'off' },
  stdio: ['ignore', 'pipe', 'inherit'],
});
const readyAt = performance.now();
await new Promise((resolve) => service.stdout.on('data', (chunk) => String(chunk).includes('is ready') && resolve()));
const firstStart = performance.now() - readyAt;
const { url } = JSON.parse(readFileSync(path.join(folder, 'service.json'), 'utf8'));
const token = readFileSync(path.join(folder, 'organizer.token'), 'utf8');
const post = (route, body, type = 'application/json') =>
  fetch(url + route, { method: 'POST', body, headers: { 'content-type': type, authorization: `Bearer ${token}` } }).then((response) => response.text());
const send = (type, data) => post('/v1/conferences/bench/commands', JSON.stringify({ id: crypto.randomUUID(), type, data }));

const event = (number) => `<event id="${number + 1}" guid="00000000-0000-4000-8000-${String(number).padStart(12, '0')}">
  <date>2030-05-0${1 + (number % 4)}T${String(8 + (number % 12)).padStart(2, '0')}:00:00Z</date><start>08:00</start><duration>00:45</duration>
  <room>Room ${number % 72}</room><title>Session ${number} about something that matters</title><abstract>${'An abstract of ordinary length. '.repeat(20)}</abstract>
  <persons><person id="1">Somebody</person></persons></event>`;
const rooms = Array.from({ length: 72 }, (_, room) => `<room name="Room ${room}">${Array.from({ length: SESSIONS }, (_, number) => number).filter((number) => number % 72 === room).map(event).join('')}</room>`);
const xml = `<schedule><conference><title>Bench</title><acronym>bench</acronym><time_zone_name>Europe/Berlin</time_zone_name></conference><day date="2030-05-01">${rooms.join('')}</day></schedule>`;
const importAt = performance.now();
await post('/v1/conferences/bench/imports', xml, 'application/xml');
const importTook = performance.now() - importAt;

const client = createFeedClient({ url, conference: 'bench', class: 'screen', getToken: () => token, channels: ['schedule'] });
const id = '00000000-0000-4000-8000-000000000000';
const stateIs = (state) =>
  new Promise((resolve) => {
    const look = () => {
      if (client.documents('schedule').get(`session/${id}`)?.body.state !== state) return;
      forget();
      resolve(performance.now());
    };
    const forget = client.onChange(look);
    look();
  });
await stateIs('scheduled');
const afterAck = [];
for (let round = 0; round < ROUNDS; round++) {
  const [type, state] = round % 2 === 0 ? ['start-session', 'running'] : ['retract-start', 'scheduled'];
  const shown = stateIs(state);
  await send(type, { session: id });
  const acked = performance.now();
  afterAck.push(Math.max(0, (await shown) - acked));
}
afterAck.sort((a, b) => a - b);
const quantile = (q) => afterAck[Math.min(afterAck.length - 1, Math.floor(q * afterAck.length))].toFixed(0);
console.log(`machine: ${cpus().length} cores, Node ${process.version}`);
console.log(`first start, empty data, to ready:       ${(firstStart / 1000).toFixed(1)} s`);
console.log(`import of ${SESSIONS} sessions in 72 rooms:      ${(importTook / 1000).toFixed(1)} s`);
console.log(`command's ack → on a screen's copy:      p50 ${quantile(0.5)} ms, p95 ${quantile(0.95)} ms (${ROUNDS} rounds)`);
client.close();
service.kill('SIGINT');
await new Promise((resolve) => service.once('exit', resolve));
rmSync(folder, { recursive: true, force: true });
