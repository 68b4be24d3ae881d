// A real Apache Kafka for development and tests, without Docker: npm run kafka [start|stop|status|reset] [folder].
// `run` keeps the broker only as long as standard input stays open: whoever started it cannot leave it behind.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import './require-node.mjs';
import { address, isRunning, readState, resetBroker, serving, startBroker, stopBroker } from './kafka/broker.mjs';
import { ensureJars, KAFKA_VERSION, missingForKafka } from './kafka/jars.mjs';

const USAGE = `npm run kafka [start|stop|status|reset] [folder]   (folder: ./data/kafka)
                      starts nothing where KAFKA_BROKERS names a broker already
npm run -s kafka -- tool NAME …   one of Kafka's own Java tools, e.g. ConsoleProducer --bootstrap-server …`;
const CACHE = path.resolve(import.meta.dirname, '../.cache');
const [command = 'start', place = 'data/kafka'] = process.argv.slice(2);
const folder = path.resolve(place);
const say = (line) => process.stdout.write(`${line}\n`);

const commands = {
  async start() {
    const given = process.env.KAFKA_BROKERS;
    const own = readState(folder);
    // What `start` printed here may have been exported since.
    if (given && !(own && given === address(own))) {
      if (await answers(given)) return say(`KAFKA_BROKERS is set, to ${given}: that is used, and none is started here`);
      throw new Error(`KAFKA_BROKERS is set, to ${given}, where nothing answers; \`unset KAFKA_BROKERS\` to start one here`);
    }
    const { state } = await start(true);
    say(`Kafka ${KAFKA_VERSION} serves at ${address(state)} (data and log in ${folder})\nexport KAFKA_BROKERS=${address(state)}`);
  },
  async run() {
    const { state, child } = await start(false);
    say(`KAFKA_BROKERS=${address(state)}`);
    const over = new Promise((resolve) => {
      child?.once('exit', resolve);
      for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, resolve);
      process.stdin.once('end', resolve).once('error', resolve).resume();
    });
    await over;
    await stopBroker(folder);
    process.stdin.destroy();
  },
  async stop() {
    say((await stopBroker(folder)) ? 'Kafka has stopped; its data stays' : 'Kafka is not running');
  },
  async status() {
    const state = readState(folder);
    if (!isRunning(folder, state)) {
      say('Kafka is not running');
      process.exitCode = 3;
      return;
    }
    await serving(state, 0);
    say(`Kafka ${KAFKA_VERSION} serves at ${address(state)} (process ${state.pid}, cluster ${state.clusterId}, log ${folder}/kafka.log)`);
  },
  async reset() {
    say((await resetBroker(folder)) ? `Kafka has stopped and its data in ${folder} is gone` : `there is no Kafka of ours in ${folder}`);
  },
  async tool() {
    const missing = missingForKafka(CACHE);
    if (missing) throw new Error(missing);
    const [, tool = '', ...args] = process.argv.slice(2);
    if (!/^\w+(\.\w+)*$/.test(tool)) throw new Error(USAGE);
    const java = ['-cp', path.join(ensureJars(CACHE), '*'), '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', `org.apache.kafka.tools.${tool}`];
    const { status } = spawnSync('java', [...java, ...args], { stdio: 'inherit' });
    process.exitCode = status ?? 1;
  },
  async check() {
    const missing = missingForKafka(CACHE);
    say(missing ?? 'nothing is missing');
    if (missing) process.exitCode = 3;
  },
};

/** Whether one of them can be connected to. */
async function answers(brokers) {
  const reached = brokers.split(',').map((broker) => {
    const [host, port] = broker.split(':');
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port: Number(port), timeout: 3_000 }, () => resolve(true));
      socket.once('error', reject).once('timeout', () => reject(new Error('silent')));
      socket.once('connect', () => socket.destroy());
    });
  });
  return Promise.any(reached).catch(() => false);
}

async function start(detached) {
  const missing = missingForKafka(CACHE);
  if (missing) throw new Error(missing);
  return exclusively(() => startBroker({ folder, lib: ensureJars(CACHE), detached }));
}

/** Two starts in one folder would format and run over each other: a link whose target names the starter keeps the second out. */
async function exclusively(work) {
  mkdirSync(folder, { recursive: true });
  const lock = path.join(folder, 'starting');
  try {
    symlinkSync(String(process.pid), lock);
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    const starter = readlinkSync(lock);
    if (isAlive(Number(starter))) throw new Error(`process ${starter} is starting Kafka in ${folder}`);
    rmSync(lock);
    return exclusively(work);
  }
  try {
    return await work();
  } finally {
    rmSync(lock);
  }
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}

try {
  const chosen = Object.hasOwn(commands, command) ? commands[command] : undefined;
  if (!chosen) throw new Error(`unknown: ${command}\n${USAGE}`);
  await chosen();
} catch (error) {
  process.stderr.write(`kafka: ${error.message}${error.cause ? ` (${error.cause.message})` : ''}\n`);
  process.exitCode = 1;
}
