// What an idle socket holds in the gateway: admitted, one channel followed, nothing sent. After a forced collection, several times.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { startHall } from './lib/hall.mjs';
import { startSwarm } from './lib/swarms.mjs';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

const settled = async () => {
  for (let turn = 0; turn < 5; turn++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return process.memoryUsage();
};

export async function memory({ sockets = 10_000 } = {}) {
  const hall = await startHall();
  const swarm = startSwarm();
  await swarm.open({ url: hall.url, count: 500, kind: 'hallway', cursor: ['e1', 0] }); // Warm: code, pools, shapes.
  const before = await settled();
  await swarm.open({ url: hall.url, count: sockets, kind: 'hallway', cursor: ['e1', 0] });
  const after = await settled();
  swarm.stop();
  await hall.stop();
  const perSocket = (key) => (after[key] - before[key]) / sockets / 1_024;
  return { sockets, heap: perSocket('heapUsed') + perSocket('external'), resident: perSocket('rss') };
}

if (process.argv[1] === import.meta.filename) {
  const { sockets, heap, resident } = await memory({ sockets: Number(process.argv[2] ?? 10_000) });
  console.log(`${sockets} idle sockets: ${heap.toFixed(1)} kB each on the heap and beside it, ${resident.toFixed(1)} kB resident`);
  process.exit();
}
