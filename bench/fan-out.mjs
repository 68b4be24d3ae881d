// What a change costs the gateway per socket: the bare `socket.write` of one prebuilt frame, the hall, socket.io's own broadcast, and a
// Centrifuge server (where Go is). Processor time of the serving process alone; the clients are another process and are reported beside.
import { spawn, spawnSync } from 'node:child_process';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import path from 'node:path';
import { packetOf } from '../dist/src/doors/sockets/writing/fan-out.js';
import { cpuOf, ownCpu } from './lib/cpu.mjs';
import { startHall } from './lib/hall.mjs';
import { compare } from './lib/rounds.mjs';
import { startSwarm } from './lib/swarms.mjs';

const HERE = import.meta.dirname;
const SLICE = 250;

/** undefined: there is no Go here. Fetches and builds the module on first use. */
async function startCentrifuge() {
  const folder = path.join(HERE, 'centrifuge');
  if (spawnSync('go', ['build', '-o', path.join(HERE, '../node_modules/.cache/hallway-centrifuge'), '.'], { cwd: folder, stdio: 'ignore' }).status !== 0) return undefined;
  const child = spawn(path.join(HERE, '../node_modules/.cache/hallway-centrifuge'), { stdio: ['ignore', 'pipe', 'ignore'] });
  const port = await new Promise((resolve) => child.stdout.once('data', (data) => resolve(Number(String(data)))));
  return {
    url: `ws://127.0.0.1:${port}/connection/websocket`,
    publish: (data) => fetch(`http://127.0.0.1:${port}/publish`, { method: 'POST', body: data }),
    cpu: () => cpuOf(child.pid),
    stop: () => child.kill(),
  };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

export async function fanOut({ sockets = 2_000, rounds = 15, frames = 20 }) {
  const hall = await startHall();
  const swarm = startSwarm();
  await swarm.open({ url: hall.url, count: sockets, kind: 'hallway', cursor: ['e1', 0] });
  const centrifuge = await startCentrifuge();
  const other = centrifuge && startSwarm();
  if (centrifuge) await other.open({ url: centrifuge.url, count: sockets, kind: 'centrifuge' });
  const followers = hall.sockets();
  const wires = followers.map(({ socket }) => socket.conn.transport.socket._socket);
  for (const { socket } of followers) socket.join('all');
  const body = { epoch: 'e1', channel: 'schedule', from: 0, to: 1, entries: [['session/s1', 1, { id: 's1', title: 'x'.repeat(300) }]], appendedAt: Date.now() };
  const { bytes } = packetOf('frame', JSON.stringify(body));
  let clientCpu = 0;
  /** Processor time per frame and socket, microseconds; each frame has arrived everywhere before the next. */
  const round = (cpu, clients, once) => async () => {
    let spent = 0;
    for (let frame = 0; frame < frames; frame++) {
      const { all } = await clients.expect(sockets);
      const before = cpu();
      await once();
      clientCpu = (await all).cpu;
      spent += cpu() - before;
    }
    return spent / frames / sockets;
  };
  const raw = async () => {
    for (let from = 0; from < wires.length; from += SLICE) {
      for (const wire of wires.slice(from, from + SLICE)) wire.write(bytes);
      await turn();
    }
  };
  const started = { own: ownCpu(), at: performance.now() };
  const result = await compare(
    {
      'bare socket.write': round(ownCpu, swarm, raw),
      'bare socket.write again (A/A)': round(ownCpu, swarm, raw),
      'the hall': round(ownCpu, swarm, () => hall.change()),
      'socket.io io.to().emit': round(ownCpu, swarm, () => hall.door.io.to('all').emit('frame', body)),
      ...(centrifuge ? { 'Centrifuge (Go)': round(centrifuge.cpu, other, () => centrifuge.publish(JSON.stringify(body))) } : {}),
    },
    rounds,
  );
  const wall = (performance.now() - started.at) * 1_000;
  const share = { server: (ownCpu() - started.own) / wall, clients: clientCpu / wall };
  const block = await longestBlock(hall, swarm, sockets);
  centrifuge?.stop();
  other?.stop();
  swarm.stop();
  await hall.stop();
  return { sockets, result, share, block };
}

/** Longest time the event loop was held by changes to all sockets, milliseconds: median of 20 changes and the worst. */
async function longestBlock(hall, swarm, sockets) {
  const blocks = [];
  for (let change = 0; change < 20; change++) {
    const delay = monitorEventLoopDelay({ resolution: 1 });
    const { all } = await swarm.expect(sockets);
    delay.enable();
    hall.change();
    await all;
    delay.disable();
    blocks.push(delay.max / 1e6);
  }
  blocks.sort((a, b) => a - b);
  return { median: blocks[10], worst: blocks.at(-1) };
}

if (process.argv[1] === import.meta.filename) {
  const { result, share, block, sockets } = await fanOut({ sockets: Number(process.argv[2] ?? 2_000), rounds: Number(process.argv[3] ?? 15) });
  console.log(`${sockets} sockets; server ${share.server.toFixed(2)} cores, clients ${share.clients.toFixed(2)} cores; longest block ${block.median.toFixed(1)} ms, worst ${block.worst.toFixed(1)} ms`);
  for (const [name, { cost, ratio }] of Object.entries(result)) console.log(`${name.padEnd(32)} ${cost.toFixed(2)} µs/frame/socket  ${ratio.toFixed(2)}`);
  process.exit();
}
