// What telemetry costs: the processor time of the same service under the same load with traces and metrics exported to a collector that
// takes everything, beside one whose SDK is off. Both run all the time, the load takes turns.
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

async function contender(environment, { sockets, perSecond, seconds }) {
  const service = await startService(environment);
  const load = await startLoad(service.journal);
  const swarm = startSwarm();
  for (let session = 0; session < SESSIONS; session++)
    await swarm.open({ url: service.sockets('phone'), kind: 'hallway', cls: 'phone', channel: `session/s${session}/questions`, token: service.token, count: sockets / SESSIONS });
  return {
    async round() {
      const before = service.cpu();
      const { begun } = await load.run(perSecond, seconds);
      await new Promise((resolve) => setTimeout(resolve, 500)); // Its last frames and exports.
      return (service.cpu() - before) / begun.size;
    },
    async stop() {
      swarm.stop();
      await service.stop();
    },
  };
}

export async function telemetry({ rounds = 15, sockets = 200, perSecond = 1_000, seconds = 3 } = {}) {
  const sink = await startSink();
  const load = { sockets, perSecond, seconds };
  const off = await contender({ OTEL_SDK_DISABLED: 'true' }, load);
  const again = await contender({ OTEL_SDK_DISABLED: 'true' }, load);
  const sampled = await contender({ OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, HALLWAY_TRACE_RATIO: '0.1', METRICS_PORT: '0' }, load);
  const result = await compare({ off: () => off.round(), 'off again (A/A)': () => again.round(), 'on, 1 road in 10 traced': () => sampled.round() }, rounds);
  for (const one of [off, again, sampled]) await one.stop();
  sink.stop();
  return { sockets, perSecond, result, exported: sink.bytes() };
}

if (process.argv[1] === import.meta.filename) {
  const { result, exported } = await telemetry({ rounds: Number(process.argv[2] ?? 15) });
  for (const [name, { cost, ratio }] of Object.entries(result)) console.log(`${name.padEnd(26)} ${cost.toFixed(0)} µs/event  ${ratio.toFixed(2)}`);
  console.log(`${(exported / 1e6).toFixed(1)} MB exported`);
  process.exit();
}
