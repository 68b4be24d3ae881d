// What telemetry costs: the processor time of the same service under the same load with traces and metrics exported to a collector that
// takes everything, beside one whose SDK is off. All run all the time, the load takes turns. The load goes past the doors, into the log, with
// the contexts that doors would have set, sampled at the ratio: measured is the road from the log to the sockets (projection, ticks, frames).
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { startLoad } from './lib/load.mjs';
import { compare } from './lib/rounds.mjs';
import { startService } from './lib/service.mjs';
import { startSwarm } from './lib/swarms.mjs';

const SESSIONS = 20;

async function startSink() {
  let bytes = 0;
  const server = createServer((request, response) => {
    request.on('data', (chunk) => {
      bytes += chunk.length;
    });
    request.on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, bytes: () => bytes, stop: () => server.close() };
}

/** Contexts of as many roads as there are commands, one in so many sampled. */
function contextsAt(ratio) {
  let made = 0;
  return () => {
    made += 1;
    const isSampled = Math.floor(made * ratio) > Math.floor((made - 1) * ratio);
    return `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-0${isSampled ? 1 : 0}`;
  };
}

async function contender(ratio, { sockets, perSecond, seconds }) {
  const sink = await startSink();
  const on = { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, HALLWAY_TRACE_RATIO: String(ratio), METRICS_PORT: '0' };
  const service = await startService(ratio === null ? { OTEL_SDK_DISABLED: 'true' } : on);
  const load = await startLoad(service.journal, { traceparent: contextsAt(ratio ?? 0) });
  const swarm = startSwarm();
  for (let session = 0; session < SESSIONS; session++)
    await swarm.open({ url: service.sockets('phone'), kind: 'hallway', cls: 'phone', channel: `session/s${session}/questions`, token: service.token, count: sockets / SESSIONS });
  let events = 0;
  return {
    async round() {
      const before = service.cpu();
      const { begun } = await load.run(perSecond, seconds);
      await new Promise((resolve) => setTimeout(resolve, 1_500)); // Its last frames and exports: a batch of spans leaves each second.
      events += begun.size;
      return (service.cpu() - before) / begun.size;
    },
    /** Bytes that left for the collector, per event. */
    exported: () => sink.bytes() / Math.max(events, 1),
    async stop() {
      swarm.stop();
      await service.stop();
      sink.stop();
    },
  };
}

/** @returns `result` as of `compare`, and `exported`: name → bytes per event that left for the collector */
export async function telemetry({ rounds = 15, sockets = 200, perSecond = 1_000, seconds = 3 } = {}) {
  const load = { sockets, perSecond, seconds };
  const contenders = {
    off: await contender(null, load),
    'off again (A/A)': await contender(null, load),
    'on, 1 road in 10 traced': await contender(0.1, load),
    'on, every road traced': await contender(1, load),
  };
  const names = Object.keys(contenders);
  const result = await compare(Object.fromEntries(names.map((name) => [name, () => contenders[name].round()])), rounds);
  const exported = Object.fromEntries(names.map((name) => [name, contenders[name].exported()]));
  for (const one of Object.values(contenders)) await one.stop();
  return { sockets, perSecond, result, exported };
}

if (process.argv[1] === import.meta.filename) {
  const [rounds = 15, seconds = 3] = process.argv.slice(2).map(Number);
  const { result, exported } = await telemetry({ rounds, seconds });
  for (const [name, { cost, ratio }] of Object.entries(result))
    console.log(`${name.padEnd(26)} ${cost.toFixed(0).padStart(5)} µs/event  ${ratio.toFixed(2)}  ${exported[name].toFixed(0).padStart(5)} bytes exported/event`);
  process.exit();
}
