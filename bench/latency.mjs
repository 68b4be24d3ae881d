// From the beginning of an append to the arrival of its frame, over the whole service: log, projector, replica, tick, socket. The service,
// its Postgres, the producers and the clients share one machine; their shares are told.
import { cpuOf, ownCpu } from './lib/cpu.mjs';
import { startLoad } from './lib/load.mjs';
import { startService } from './lib/service.mjs';
import { startSwarm } from './lib/swarms.mjs';

const MIX = { desk: 0.02, screen: 0.03, phone: 0.95 };
const SESSIONS = 20;
const quantile = (values, q) => values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(q * values.length))];

/** @returns per class p50 and p99 in milliseconds; desks watch their session's desk, all others its questions */
async function measured({ sockets, perSecond, seconds = 10 }) {
  const service = await startService();
  const load = await startLoad(service.journal);
  const swarm = startSwarm();
  for (const [cls, share] of Object.entries(MIX)) {
    for (let session = 0; session < SESSIONS; session++) {
      const channel = `session/s${session}/${cls === 'desk' ? 'desk' : 'questions'}`;
      await swarm.open({ url: service.sockets(cls), kind: 'hallway', cls, channel, token: service.token, count: Math.max(1, Math.round((sockets * share) / SESSIONS)) });
    }
  }
  await load.run(perSecond, 3);
  await swarm.arrivals();
  const cpu = () => ({ service: service.cpu(), producers: ownCpu(), clients: cpuOf(swarm.pid) });
  const before = cpu();
  const from = performance.now();
  const { begun } = await load.run(perSecond, seconds);
  const wall = (performance.now() - from) * 1_000;
  const after = cpu();
  const shares = Object.fromEntries(Object.entries(after).map(([who, spent]) => [who, (spent - before[who]) / wall]));
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  const seen = Object.fromEntries(Object.keys(MIX).map((cls) => [cls, []]));
  for (const [cls, version, at] of await swarm.arrivals()) if (begun.has(version)) seen[cls].push(at - begun.get(version));
  swarm.stop();
  await service.stop();
  const classes = Object.fromEntries(Object.entries(seen).map(([cls, values]) => [cls, { frames: values.length, p50: quantile(values, 0.5), p99: quantile(values, 0.99) }]));
  return { sockets, perSecond, reached: (begun.size * 1e6) / wall, classes, shares };
}

export async function latency({ seconds = 10, cases = [[500, 200], [500, 1_000], [2_000, 200], [2_000, 1_000]] } = {}) {
  const results = [];
  for (const [sockets, perSecond] of cases) results.push(await measured({ sockets, perSecond, seconds }));
  return results;
}

if (process.argv[1] === import.meta.filename) {
  const cases = process.argv[2] ? [[Number(process.argv[2]), Number(process.argv[3])]] : undefined;
  for (const { sockets, perSecond, reached, classes, shares } of await latency({ cases })) {
    const told = Object.entries(classes).map(([cls, { p50, p99, frames }]) => `${cls} p50 ${p50} p99 ${p99} ms (${frames})`).join('; ');
    console.log(`${sockets} sockets, ${perSecond} events/s (reached ${reached.toFixed(0)}): ${told}; service ${shares.service.toFixed(2)}, producers ${shares.producers.toFixed(2)}, clients ${shares.clients.toFixed(2)} cores`);
  }
  process.exit();
}
