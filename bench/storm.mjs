// Everybody drops and comes back at once. What a join costs the gateway beside a bare socket.io handshake, and the SQL it causes.
import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { ownCpu } from './lib/cpu.mjs';
import { startHall } from './lib/hall.mjs';
import { compare } from './lib/rounds.mjs';
import { startService } from './lib/service.mjs';
import { startSwarm } from './lib/swarms.mjs';

async function startBare() {
  const server = createServer();
  const io = new Server(server, { transports: ['websocket'], perMessageDeflate: false, serveClient: false });
  await new Promise((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, resolve));
  return { url: `ws://127.0.0.1:${server.address().port}/socket.io/?EIO=4&transport=websocket`, stop: () => io.close() };
}

/** Processor time of the gateway per join: handshake, admission, token, subscription, resume. */
export async function joins({ sockets = 1_000, rounds = 15 } = {}) {
  const [hall, bare, again] = [await startHall(), await startBare(), await startBare()];
  const round = (order) => {
    const swarm = startSwarm();
    return async () => {
      const before = ownCpu();
      await swarm.open({ ...order, count: sockets });
      const spent = ownCpu() - before;
      await swarm.drop();
      await new Promise((resolve) => setTimeout(resolve, 300)); // Their closing is nobody's join.
      return spent / sockets;
    };
  };
  const result = await compare(
    {
      'bare socket.io handshake': round({ url: bare.url, kind: 'socket.io' }),
      'the same again (A/A)': round({ url: again.url, kind: 'socket.io' }),
      'join and resume': round({ url: hall.url, kind: 'hallway', cursor: ['e1', 0] }),
    },
    rounds,
  );
  await hall.stop();
  return { sockets, result };
}

/** Of the whole service: transactions of its database while so many come back, beside as long a time of quiet. */
export async function sql({ sockets = 5_000 } = {}) {
  const service = await startService();
  const swarm = startSwarm();
  const orders = [['phone', 0.5], ['screen', 0.25], ['desk', 0.25]].map(([cls, share]) => ({ url: service.sockets(cls), kind: 'hallway', cls, token: service.token, count: sockets * share }));
  for (const order of orders) await swarm.open(order);
  // A backend tells what it did once a second.
  const transactions = async () => {
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const { rows } = await service.database.pool.query(`select xact_commit + xact_rollback as count from pg_stat_database where datname = current_database()`);
    return { count: Number(rows[0].count), at: performance.now() };
  };
  await swarm.drop();
  const first = await transactions();
  const from = performance.now();
  for (const order of orders) await swarm.open({ ...order, goOn: true });
  const took = (performance.now() - from) / 1_000;
  const second = await transactions();
  await new Promise((resolve) => setTimeout(resolve, took * 1_000));
  const third = await transactions();
  const rate = (a, b) => ((b.count - a.count) * 1_000) / (b.at - a.at);
  swarm.stop();
  await service.stop();
  return { sockets, took, storm: rate(first, second), quiet: rate(second, third) };
}

if (process.argv[1] === import.meta.filename) {
  const { result } = await joins({ rounds: Number(process.argv[2] ?? 15) });
  for (const [name, { cost, ratio }] of Object.entries(result)) console.log(`${name.padEnd(28)} ${cost.toFixed(0)} µs  ${ratio.toFixed(2)}`);
  const { sockets, took, storm, quiet } = await sql();
  console.log(`${sockets} come back in ${took.toFixed(1)} s: ${storm.toFixed(1)} transactions/s, in quiet ${quiet.toFixed(1)}`);
  process.exit();
}
