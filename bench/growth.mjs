// What an event costs the projector and what a join costs the gateway while the log grows; what a frame costs while the sockets grow.
import { randomUUID } from 'node:crypto';
import { BatchSize } from '../dist/libs/projector/batch-size.js';
import { claim } from '../dist/libs/projector/checkpoint.js';
import { Committer } from '../dist/libs/projector/committer.js';
import { catalog } from '../dist/src/conference/catalog.js';
import { projectionSet } from '../dist/src/conference/projection-set.js';
import { ownCpu } from './lib/cpu.mjs';
import { silent, startDatabase } from './lib/database.mjs';
import { startHall } from './lib/hall.mjs';
import { liveHour } from './lib/live-hour.mjs';
import { startSwarm } from './lib/swarms.mjs';

const SIZE = 500;

/** @returns for each step of the log its end and what an event cost there, microseconds */
export async function withTheLog({ events = 40_000, steps = 20 } = {}) {
  const database = await startDatabase();
  const { log, journal } = await liveHour(events);
  const pool = await database.generation('grown');
  const { rows } = await database.pool.query(`insert into generation (projection_version, log_identity, schema_name, state) values ('bench', 'grown', 'grown', 'building') returning id`);
  const generation = { id: rows[0].id, schema: 'grown', version: 'bench', logIdentity: 'grown' };
  const claimed = await claim(pool, 0, randomUUID());
  const committer = new Committer({ pool, set: projectionSet('bench'), catalog, generation, claimed, logger: silent, reader: journal.reader(), skipped: new Set(), size: new BatchSize(), onCommit: () => undefined });
  const perStep = Math.floor(events / steps / SIZE) * SIZE;
  const points = [];
  for (let step = 0; step < steps; step++) {
    const { records } = await log.read(0, claimed.next, perStep);
    const from = claimed.next;
    const at = performance.now();
    await committer.run(Array.from({ length: perStep / SIZE }, (_, index) => ({ records: records.slice(index * SIZE, (index + 1) * SIZE), next: from + BigInt((index + 1) * SIZE) })));
    points.push({ events: Number(claimed.next), cost: ((performance.now() - at) * 1_000) / perStep });
  }
  await database.stop();
  return points;
}

/** @returns for each number of sockets the processor time of one frame to all of them, milliseconds */
export async function withTheSockets({ counts = [250, 500, 1_000, 2_000, 3_000, 4_000], frames = 60 } = {}) {
  const hall = await startHall();
  const swarm = startSwarm();
  const points = [];
  let open = 0;
  for (const sockets of counts) {
    await swarm.open({ url: hall.url, count: sockets - open, kind: 'hallway', cursor: ['e1', 0] });
    open = sockets;
    const costs = [];
    for (let frame = 0; frame < frames; frame++) {
      const { all } = await swarm.expect(sockets);
      const before = ownCpu();
      hall.change();
      await all;
      costs.push((ownCpu() - before) / 1_000);
    }
    costs.sort((a, b) => a - b);
    points.push({ sockets, cost: costs[Math.floor(costs.length / 2)] });
  }
  swarm.stop();
  await hall.stop();
  return points;
}

if (process.argv[1] === import.meta.filename) {
  for (const { sockets, cost } of await withTheSockets()) console.log(`${sockets} sockets: ${cost.toFixed(1)} ms/frame, ${((cost * 1_000) / sockets).toFixed(1)} µs each`);
  for (const { events, cost } of await withTheLog()) console.log(`log of ${events}: ${cost.toFixed(0)} µs/event`);
  process.exit();
}
