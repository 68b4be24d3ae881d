/** A real Kafka broker for one suite, through the same launcher that `npm run kafka` uses. It ends with the test run, however that ends. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createKafkaLog, type KafkaLogOptions, setUpTopic } from '#libs/event-log';
import { silent } from './silent.js';
import { createTestDatabase } from './test-database.js';

export interface TestKafka {
  /** host:port; stays over restarts. */
  readonly brokers: string;
  /** The same by its second listener, if it was given settings for one. */
  readonly secure: string;
  /** kill -9, as a machine would die. */
  kill(): Promise<void>;
  /** Clean, on the same data and address. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Ends it and removes its data. */
  remove(): Promise<void>;
}

const LAUNCHER = ['--disable-warning=TimeoutNegativeWarning', path.resolve('scripts/kafka.mjs')];

/** Whether there can be no broker here, and kcat neither; said in one line. With CI=true that is a failure. */
export function kafkaMissing(): boolean {
  const { status, stdout } = spawnSync('node', [...LAUNCHER, 'check'], { encoding: 'utf8' });
  const kcat = spawnSync('kcat', ['-V'], { stdio: 'ignore' }).status === 0;
  const missing = status !== 0 ? stdout.trim() : kcat ? null : 'kcat is missing (Debian: apt-get install kcat)';
  if (missing === null) return false;
  if (process.env.CI === 'true') throw new Error(`the tests on Kafka cannot run: ${missing}`);
  process.stderr.write(`skipped, no Kafka: ${missing}; or run \`npm run setup\`\n`);
  return true;
}

/** @param secure settings of a second listener, with encryption and log-in */
export async function startTestKafka(secure?: string): Promise<TestKafka> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'hallway-kafka-'));
  if (secure) fs.writeFileSync(path.join(folder, 'secure.properties'), secure);
  let running = await launch(folder);
  const { brokers } = running;
  const state = () => JSON.parse(fs.readFileSync(path.join(folder, 'broker.json'), 'utf8'));
  return {
    brokers,
    secure: `127.0.0.1:${state().securePort}`,
    async kill() {
      process.kill(state().pid, 'SIGKILL');
      await running.ended;
    },
    async stop() {
      running.child.stdin?.end();
      await running.ended;
    },
    async start() {
      running = await launch(folder);
      if (running.brokers !== brokers) throw new Error('the broker came back at another address');
    },
    async remove() {
      running.child.stdin?.end();
      await running.ended;
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** One of Kafka's own Java tools, to its end; not waited for synchronously, for servers of this process must go on. @throws what it said if it failed */
export async function javaTool(name: string, args: readonly string[], input: string): Promise<void> {
  const child = spawn('node', [...LAUNCHER, 'tool', name, ...args], { stdio: ['pipe', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  child.stdin.end(input);
  const status = await new Promise((resolve) => child.once('close', resolve));
  if (status !== 0) throw new Error(`${name}: ${said}`);
}

/** A log on a fresh topic of that broker, pinned in a fresh database. */
export async function openKafkaLog(brokers: string, over: Partial<KafkaLogOptions> = {}) {
  const database = await createTestDatabase();
  const spec = { name: `events-${randomUUID()}`, partitions: 4, replicas: 1, minInSyncReplicas: 1 };
  const options: KafkaLogOptions = {
    brokers: [brokers],
    clientId: 'test',
    db: database.pool,
    topic: spec.name,
    logger: silent,
    timing: { sessionMs: 3_000, heartbeatMs: 200 },
    ...over,
  };
  await setUpTopic({ ...options, spec, accept: false });
  const log = await createKafkaLog(options);
  return {
    log,
    options,
    spec,
    async close() {
      await log.close();
      await database.drop();
    },
  };
}

interface Running {
  readonly child: ChildProcess;
  readonly brokers: string;
  readonly ended: Promise<unknown>;
}

function launch(folder: string): Promise<Running> {
  const child = spawn('node', [...LAUNCHER, 'run', folder], { stdio: ['pipe', 'pipe', 'pipe'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  return new Promise((resolve, reject) => {
    let said = '';
    child.stderr.on('data', (chunk) => {
      said += chunk;
    });
    child.stdout.on('data', (chunk) => {
      said += chunk;
      const brokers = /KAFKA_BROKERS=(\S+)\n/.exec(said)?.[1];
      if (brokers) resolve({ child, brokers, ended });
    });
    child.once('exit', () => reject(new Error(`the broker did not start: ${said}`)));
  });
}
