// `npm run bench:votes`: a hall votes at once, an organizer queues questions meanwhile. Open-loop: votes are offered at a rate, whatever
// becomes of them. `--by http,socket --rates 500,2000 --seconds 10 --partitions 1 --kafka 127.0.0.1:9092`. The service, its Postgres and the load share one machine; their shares are told. Votes' percentiles count those applied.
import { fork } from 'node:child_process';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createTokens } from '../dist/src/doors/tokens/tokens.js';
import { cpuOf, cpuOfPostgres } from './lib/cpu.mjs';
import { startService } from './lib/service.mjs';

const [VOTERS, QUESTIONS] = [1_000, 50];
/** Backends tell their counts at most once a second. */
const COUNTED_MS = 1_500;
const quantile = (values, q) => values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(q * values.length))] ?? Number.NaN;

function startVoters() {
  const child = fork(path.join(import.meta.dirname, 'lib/voters.mjs'));
  const told = (key) =>
    new Promise((resolve) => {
      const hear = (message) => {
        if (!(key in message)) return;
        child.off('message', hear);
        resolve(message[key]);
      };
      child.on('message', hear);
    });
  return { child, told };
}

async function prepareConference(service) {
  const at = (minutes) => new Date(Date.now() + minutes * 60_000).toISOString();
  await service.command('define-rooms', { rooms: [{ id: 'a', name: 'Hall A', order: 1 }] });
  await service.command('schedule-session', { id: 's1', title: 'AMA', kind: 'ama', room: 'a', start: at(-1), end: at(59) });
  await service.command('open-questions', { session: 's1', mode: 'open' });
  const tokens = await createTokens(service.database.pool);
  const issue = (actor) => tokens.issue({ actor, role: 'attendee', conference: 'bench' }, 7_200);
  const voters = await Promise.all(Array.from({ length: VOTERS }, (_, index) => issue(`voter-${index}`)));
  const questions = [];
  for (let index = 0; index < QUESTIONS; index++) {
    const ack = await service.command('ask-question', { session: 's1', text: `Question ${index}: what would you do differently?` }, await issue(`asker-${index}`));
    questions.push(ack.subject);
  }
  return { voters, questions };
}

/** An organizer at work until told to end: one act after the other, a breath between them. @returns how long each that was done took, milliseconds */
async function workAtDesk(service, questions, isOver) {
  const took = [];
  let refused = 0;
  for (let act = 0; !isOver(); act++) {
    const question = questions[act % QUESTIONS];
    for (const type of ['queue-question', 'unqueue-question']) {
      const started = performance.now();
      const done = await service.command(type, { question }).then(() => true, () => false);
      if (done) took.push(performance.now() - started);
      else refused += 1;
      await wait(25);
    }
  }
  return { took, refused };
}

const COUNTS = `select d.xact_commit + d.xact_rollback as transactions, w.wal_records, w.wal_bytes,
  (select sum(pg_total_relation_size(c.oid)) from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema')) as kept,
  (select n_tup_upd from pg_stat_user_tables where relname = 'feed_document') as updated,
  (select n_tup_hot_upd from pg_stat_user_tables where relname = 'feed_document') as hot
  from pg_stat_database d, pg_stat_wal w where d.datname = current_database()`;

async function countsOf({ pool }) {
  await wait(COUNTED_MS);
  const { rows } = await pool.query(COUNTS);
  return Object.fromEntries(Object.entries(rows[0]).map(([name, value]) => [name, Number(value)]));
}

async function applied({ pool }) {
  const { rows } = await pool.query("select schema_name from public.generation where state = 'live'");
  const { rows: counted } = await pool.query(`select count(*) from ${rows[0].schema_name}.question_vote`);
  return Number(counted[0].count);
}

/** @param kafka  brokers: the log is on Kafka, in a topic of its own */
async function measured({ kind, perSecond, seconds, partitions, kafka }) {
  const service = await startService({
    ...(partitions ? { HALLWAY_PARTITIONS: String(partitions) } : {}),
    ...(kafka ? { KAFKA_BROKERS: kafka, KAFKA_EVENTS_TOPIC: `bench.votes.${Date.now()}` } : {}),
  });
  const { voters, questions } = await prepareConference(service);
  const { child, told } = startVoters();
  const ready = told('prepared');
  child.send({ prepare: { kind, port: service.port, tokens: voters, questions } });
  await ready;
  // Everybody is known, and every statement planned.
  const warm = told('ran');
  child.send({ run: { perSecond: 250, seconds: 4 } });
  await warm;
  const before = { ...(await countsOf(service.database)), votes: await applied(service.database) };
  const spent = async () => ({ service: service.cpu(), postgres: await cpuOfPostgres(service.database.pool), voters: cpuOf(child.pid) });
  const cpu = await spent();
  let over = false;
  const desk = workAtDesk(service, questions, () => over);
  const [ran, offered] = [told('ran'), told('offered')];
  const from = performance.now();
  child.send({ run: { perSecond, seconds } });
  await offered;
  over = true;
  const took = (performance.now() - from) / 1_000;
  const used = await spent();
  const inTime = (await applied(service.database)) - before.votes;
  const { took: acts, refused: actsRefused } = await desk;
  const { answers, unsent, unanswered, drained } = await ran;
  const after = { ...(await countsOf(service.database)), votes: await applied(service.database) };
  child.disconnect();
  await service.stop();
  const per = (name) => (after[name] - before[name]) / (after.votes - before.votes);
  const byOutcome = Object.groupBy(answers, ([outcome]) => outcome);
  const refusals = answers.filter(([outcome]) => /^\d+$/.test(outcome));
  return {
    kind,
    perSecond,
    applied: inTime / took,
    refused: refusals.length / seconds,
    refusedIn: quantile(refusals.map(([, ms]) => ms), 0.95),
    outcomes: Object.fromEntries(Object.entries(byOutcome).map(([outcome, list]) => [outcome, list.length])),
    lost: unsent + unanswered,
    drained,
    actsRefused,
    acts: acts.length,
    vote: [0.5, 0.95].map((q) => quantile((byOutcome.applied ?? []).map(([, ms]) => ms), q)),
    desk: [0.5, 0.95].map((q) => quantile(acts, q)),
    transactions: per('transactions'),
    walRecords: per('wal_records'),
    wal: per('wal_bytes'),
    kept: per('kept'),
    documents: per('updated'),
    hot: (after.hot - before.hot) / (after.updated - before.updated),
    micros: Object.fromEntries(Object.keys(cpu).map((who) => [who, (used[who] - cpu[who]) / Math.max(1, inTime)])),
    shares: Object.fromEntries(Object.keys(cpu).map((who) => [who, (used[who] - cpu[who]) / (took * 1e6)])),
  };
}

export const VOTE_CASES = [500, 1_000, 2_000, 5_000].flatMap((perSecond) => ['http', 'socket'].map((kind) => ({ kind, perSecond })));

export async function votes({ cases = VOTE_CASES, seconds = 10, partitions, kafka } = {}) {
  const results = [];
  for (const one of cases) results.push(await measured({ ...one, seconds, partitions, kafka }));
  return results;
}

const ms = (value) => (Number.isNaN(value) ? '-' : value.toFixed(0));

export function votesTable(rows) {
  return [
    '| by | offered/s | applied/s | refused/s (told within, p95) | desk act p50 / p95 ms | vote p50 / p95 ms | transactions | WAL records | WAL kB | kept kB | document updates (HOT) | µs/vote: service, Postgres | cores: service, Postgres, voters |',
    '|---|---|---|---|---|---|---|---|---|---|---|---|---|',
    ...rows.map((row) =>
      [
        '',
        row.kind,
        row.perSecond,
        row.applied.toFixed(0),
        `${row.refused.toFixed(0)} (${ms(row.refusedIn)} ms)`,
        row.desk.map(ms).join(' / '),
        row.vote.map(ms).join(' / '),
        row.transactions.toFixed(2),
        row.walRecords.toFixed(1),
        (row.wal / 1_000).toFixed(2),
        (row.kept / 1_000).toFixed(2),
        `${row.documents.toFixed(2)} (${(row.hot * 100).toFixed(0)} %)`,
        `${row.micros.service.toFixed(0)}, ${row.micros.postgres.toFixed(0)}`,
        Object.values(row.shares).map((share) => share.toFixed(2)).join(', '),
        '',
      ].join(' | ').trim(),
    ),
  ];
}

if (process.argv[1] === import.meta.filename) {
  const { values: asked } = parseArgs({ options: { by: { type: 'string' }, rates: { type: 'string' }, seconds: { type: 'string' }, partitions: { type: 'string' }, kafka: { type: 'string' } } });
  const rates = asked.rates?.split(',').map(Number) ?? [500, 1_000, 2_000, 5_000];
  const kinds = asked.by?.split(',') ?? ['http', 'socket'];
  const cases = rates.flatMap((perSecond) => kinds.map((kind) => ({ kind, perSecond })));
  const rows = await votes({ cases, seconds: Number(asked.seconds ?? 10), ...(asked.partitions ? { partitions: Number(asked.partitions) } : {}), ...(asked.kafka ? { kafka: asked.kafka } : {}) });
  console.log(votesTable(rows).join('\n'));
  for (const { kind, perSecond, outcomes, lost, drained, acts, actsRefused } of rows)
    console.log(`${kind} ${perSecond}/s: ${JSON.stringify(outcomes)}, ${lost} unsent or unanswered, ${acts} acts, ${actsRefused} refused, the last answer ${drained.toFixed(1)} s after the last vote`);
  process.exit();
}
