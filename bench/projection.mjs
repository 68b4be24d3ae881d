// A batch of events through the projector (decode, load, fold, write) beside the bare SQL of what it writes: the same rows into the same
// tables by one prepared statement, nothing else. Time by the clock, one batch after the other; median of the rounds.
import { randomUUID } from 'node:crypto';
import { catalog } from '../dist/src/conference/catalog.js';
import { projectionSet } from '../dist/src/conference/projection-set.js';
import { BatchSize } from '../dist/libs/projector/batch-size.js';
import { claim, fingerprintOf } from '../dist/libs/projector/checkpoint.js';
import { Committer } from '../dist/libs/projector/committer.js';
import { foldBatch } from '../dist/libs/projector/fold.js';
import { Statistics } from '../dist/libs/projector/housekeeping.js';
import { createPostgresRowSource } from '../dist/libs/projector/row-source.js';
import { statementsOf } from '../dist/libs/projector/statements.js';
import { writeBatch } from '../dist/libs/projector/write-batch.js';
import { silent, startDatabase } from './lib/database.mjs';
import { BEFORE, liveHour } from './lib/live-hour.mjs';
import { compare } from './lib/rounds.mjs';

const VERSION = 'bench';
const set = projectionSet(VERSION);

async function generationOn(database, schema) {
  const pool = await database.generation(schema);
  const { rows } = await database.pool.query(
    `insert into generation (projection_version, log_identity, schema_name, state) values ($1, $2, $3, 'building') returning id`,
    [`${VERSION}`, schema, schema],
  );
  return { pool, generation: { id: rows[0].id, schema, version: VERSION, logIdentity: schema }, claimed: await claim(pool, 0, randomUUID()) };
}

/** As the projector does it: while a batch is written, the next is folded. */
async function projectorOn(database, { log, journal }, schema) {
  const { pool, generation, claimed } = await generationOn(database, schema);
  const committer = new Committer({ pool, set, catalog, generation, claimed, logger: silent, reader: journal.reader(), skipped: new Set(), size: new BatchSize(), onCommit: () => undefined });
  return async (batches, size) => {
    const { records } = await log.read(0, claimed.next, batches * size);
    const from = claimed.next;
    await committer.run(Array.from({ length: batches }, (_, index) => ({ records: records.slice(index * size, (index + 1) * size), next: from + BigInt((index + 1) * size) })));
  };
}

/** Its steps, one batch at a time, nothing remembered. `spent` sums where the time goes, milliseconds. */
async function stepsOn(database, { log, journal }, schema) {
  const { pool, generation, claimed } = await generationOn(database, schema);
  const source = createPostgresRowSource(pool);
  const reader = journal.reader();
  const statistics = new Statistics(pool, generation, silent);
  const spent = { decode: 0, load: 0, fold: 0, write: 0 };
  const timed = {
    load: async (selects) => {
      const at = performance.now();
      const loaded = await source.load(selects);
      spent.load += performance.now() - at;
      return loaded;
    },
  };
  const batch = async (size) => {
    const { records } = await log.read(0, claimed.next, size);
    const startedAt = Date.now();
    const t0 = performance.now();
    const decoded = await reader.decode(0, records);
    const t1 = performance.now();
    const loadedBefore = spent.load;
    const next = claimed.next + BigInt(records.length);
    const plan = await foldBatch({ set, catalog, partition: 0, expected: claimed.next, next, records: decoded, source: timed, decode: (again) => reader.decode(0, again), isSkipped: () => false });
    const t2 = performance.now();
    await writeBatch({ pool, generation, claimed, plan, fingerprint: fingerprintOf(records.at(-1)), startedAt });
    claimed.next = next;
    statistics.grew(size);
    spent.decode += t1 - t0;
    spent.fold += t2 - t1 - (spent.load - loadedBefore);
    spent.write += performance.now() - t2;
    return plan;
  };
  return { batch, spent };
}

/** One statement for all of a plan, prepared by its text. */
function bareOf(plan, generation) {
  const values = [];
  const parts = [...statementsOf(plan, generation)].map((statement, index) => {
    const text = statement.text.replace(/\$(\d+)/g, (_, number) => `$${Number(number) + values.length}`);
    values.push(...statement.values);
    return `s${index} as (${text})`;
  });
  values.push(plan.next.toString(), plan.partition);
  return { text: `with ${parts.join(', ')} update projection_checkpoint set next_offset = $${values.length - 1} where partition = $${values.length}`, values };
}

async function bareOn(database, plans, schema) {
  const pool = await database.generation(schema);
  const client = await pool.connect();
  await client.query('insert into projection_checkpoint (partition) values (0)');
  const names = new Map();
  let next = 0;
  return {
    async batch() {
      // What a bare writer would have in hand are values, not SQL; making the text is not its work.
      const { text, values } = bareOf(plans[next++], { logIdentity: schema });
      if (!names.has(text)) names.set(text, `b${names.size}`);
      const at = performance.now();
      await client.query({ name: names.get(text), text, values });
      return performance.now() - at;
    },
    close: () => client.release(),
  };
}

export async function projection({ rounds = 15, size = 500, batches = 8 } = {}) {
  const database = await startDatabase();
  const hour = await liveHour((rounds + 1) * batches * size);
  const steps = await stepsOn(database, hour, 'planned');
  const plans = [await steps.batch(BEFORE)];
  for (const name of Object.keys(steps.spent)) steps.spent[name] = 0;
  for (let index = 0; index < (rounds + 1) * batches; index++) plans.push(await steps.batch(size));
  const own = await projectorOn(database, hour, 'projected');
  const bare = await bareOn(database, plans, 'bare');
  const again = await bareOn(database, plans, 'bare_again');
  await own(1, BEFORE);
  await bare.batch();
  await again.batch();
  const bareRound = (contender) => async () => {
    let spent = 0;
    for (let index = 0; index < batches; index++) spent += await contender.batch();
    return (spent * 1_000) / (batches * size);
  };
  const result = await compare(
    {
      'bare SQL, one prepared statement': bareRound(bare),
      'the same again (A/A)': bareRound(again),
      'the projector': async () => {
        const at = performance.now();
        await own(batches, size);
        return ((performance.now() - at) * 1_000) / (batches * size);
      },
    },
    rounds,
  );
  const events = (rounds + 1) * batches * size;
  const spent = Object.fromEntries(Object.entries(steps.spent).map(([name, ms]) => [name, (ms * 1_000) / events]));
  bare.close();
  again.close();
  await database.stop();
  return { size, result, spent };
}

if (process.argv[1] === import.meta.filename) {
  const { result, spent } = await projection({ rounds: Number(process.argv[2] ?? 15), size: Number(process.argv[3] ?? 500) });
  for (const [name, { cost, ratio }] of Object.entries(result)) console.log(`${name.padEnd(34)} ${cost.toFixed(1)} µs/event  ${ratio.toFixed(2)}`);
  console.log('its steps one after the other, nothing remembered, µs/event:', Object.fromEntries(Object.entries(spent).map(([name, us]) => [name, us.toFixed(1)])));
}
