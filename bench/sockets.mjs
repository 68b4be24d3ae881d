// What many phones cost one gateway: each follows what a phone follows (schedule, updates, its own channel, one session's questions).
// Event-loop delay with collections reported apart, and resident bytes per socket; the clients are other processes.
// Usage: node bench/sockets.mjs [sockets] [seconds per phase]. 20,000 sockets need `ulimit -n 45000`.
import { fork } from 'node:child_process';
import path from 'node:path';
import { startConference } from './lib/conference.mjs';
import { watchLoop } from './lib/loop.mjs';

const PER_PROCESS = 5_000;
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function startPhones(url, count, first) {
  const child = fork(path.join(import.meta.dirname, 'lib/phones.mjs'));
  const done = new Promise((resolve) => child.once('message', resolve));
  child.send({ url, count, first });
  return { done, stop: () => child.kill() };
}

const settled = async () => {
  for (let turn = 0; turn < 3; turn++) {
    globalThis.gc?.();
    await wait(200);
  }
  return process.memoryUsage();
};

export async function sockets({ count = 20_000, seconds = 10 } = {}) {
  const conference = await startConference();
  const warm = startPhones(conference.url, 200, 1_000_000);
  await warm.done;
  const before = await settled();
  const joining = watchLoop();
  const phones = [];
  for (let first = 0; first < count; first += PER_PROCESS) phones.push(startPhones(conference.url, Math.min(PER_PROCESS, count - first), first));
  await Promise.all(phones.map(({ done }) => done));
  const results = { 'joining': joining.stop() };
  await wait(6_000);
  const after = await settled();
  const phase = async (name, each, everyMs) => {
    const watched = watchLoop();
    const timer = each && setInterval(each, everyMs);
    await wait(seconds * 1_000);
    clearInterval(timer);
    results[name] = watched.stop();
    await wait(1_000);
  };
  await phase('beacons alone');
  await phase('votes, four times a second', () => conference.change('session/s1/questions'), 250);
  await phase('a change for everybody, each second', () => conference.change('schedule'), 1_000);
  await phase('a change of one person’s own, 50 a second', () => conference.change(`me/p${Math.floor(Math.random() * count)}`), 20);
  await phase('access checked again, each second', () => conference.change('_access'), 1_000);
  const perSocket = (key) => (after[key] - before[key]) / count / 1_024;
  for (const phone of phones) phone.stop();
  warm.stop();
  await conference.stop();
  return { count, resident: perSocket('rss'), heap: perSocket('heapUsed') + perSocket('external'), results, stats: conference.stats };
}

if (process.argv[1] === import.meta.filename) {
  const { count, resident, heap, results } = await sockets({ count: Number(process.argv[2] ?? 20_000), seconds: Number(process.argv[3] ?? 10) });
  console.log(`${count} sockets: ${resident.toFixed(1)} kB resident each, ${heap.toFixed(1)} kB of them on the heap and beside it`);
  console.log(`${'phase'.padEnd(44)} loop p50 / p99 / max ms   longest without collections   collections: count, longest`);
  for (const [name, { p50, p99, max, own, collections, longest }] of Object.entries(results))
    console.log(`${name.padEnd(44)} ${p50.toFixed(1)} / ${p99.toFixed(1)} / ${max.toFixed(1)}   ${own.toFixed(1)}   ${collections}, ${longest.toFixed(1)}`);
  process.exit();
}
