// One Kafka broker (KRaft, a single node) in a folder of its own. It listens on 127.0.0.1 only.
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';

const JVM = ['-Xms64m', '-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'];
const READY_MS = 60_000;
const STOP_MS = 15_000;

const files = (folder) => ({
  state: path.join(folder, 'broker.json'),
  properties: path.join(folder, 'server.properties'),
  log: path.join(folder, 'kafka.log'),
  data: path.join(folder, 'log'),
  secure: path.join(folder, 'secure.properties'),
});

// The short session lets a broker that was killed come back within seconds: the controller waits for the old one's end.
const properties = ({ port, controllerPort, securePort }, data, secure) => `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controllerPort}
listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}${secure && `,SECURE://127.0.0.1:${securePort}`}
advertised.listeners=PLAINTEXT://127.0.0.1:${port}${secure && `,SECURE://127.0.0.1:${securePort}`}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SECURE:SASL_SSL
log.dirs=${data}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
controlled.shutdown.enable=false
log.cleaner.dedupe.buffer.size=2097152
num.network.threads=1
num.io.threads=2
${secure}`;

/** The broker's address, process and cluster, or undefined if it was never started in this folder. */
export function readState(folder) {
  const { state } = files(folder);
  return existsSync(state) ? JSON.parse(readFileSync(state, 'utf8')) : undefined;
}

/** A number may by now belong to another process: the command line must name this folder's settings. */
export function isRunning(folder, state = readState(folder)) {
  if (!state?.pid) return false;
  return commandLine(state.pid).includes(files(folder).properties);
}

function commandLine(pid) {
  if (!existsSync('/proc/self/cmdline')) return spawnSync('ps', ['-ww', '-o', 'args=', '-p', String(pid)], { encoding: 'utf8' }).stdout ?? '';
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

/** Starts the broker, or finds it running; answers when it serves. `detached`: it outlives this process. */
export async function startBroker({ folder, lib, detached }) {
  const known = readState(folder);
  if (isRunning(folder, known)) {
    await serving(known);
    return { state: known, child: undefined };
  }
  mkdirSync(folder, { recursive: true });
  const { properties: settings, data, log, secure } = files(folder);
  // The same address as before, if it is free, so that clients find the broker again.
  const ports = known && (await isFree(known.port)) && (await isFree(known.controllerPort)) ? known : await freePorts();
  const { port, controllerPort, securePort } = ports;
  const state = { clusterId: known?.clusterId ?? newClusterId(), port, controllerPort, securePort };
  // Whoever writes that file has a second listener, with encryption and log-in as it says.
  writeFileSync(settings, properties(state, data, existsSync(secure) ? readFileSync(secure, 'utf8') : ''));
  // Written before the format, so that a start that was cut off goes on with the same cluster.
  writeState(folder, state);
  format({ lib, settings, clusterId: state.clusterId });
  const out = openSync(log, 'a');
  const child = spawn('java', [...JVM, '-cp', `${lib}/*`, 'kafka.Kafka', settings], { cwd: folder, detached, stdio: ['ignore', out, out] });
  closeSync(out);
  const ended = new Promise((resolve) => child.once('exit', resolve).once('error', resolve));
  writeState(folder, { ...state, pid: child.pid });
  try {
    await Promise.race([serving(state), ended.then(() => Promise.reject(new Error(`Kafka ended while starting; see ${log}`)))]);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  if (detached) child.unref();
  return { state: { ...state, pid: child.pid }, child };
}

/** Ends the broker: politely, and if that takes too long, not. Answers false if none ran. */
export async function stopBroker(folder) {
  const state = readState(folder);
  if (!isRunning(folder, state)) return false;
  process.kill(state.pid, 'SIGTERM');
  if (!(await gone(folder, state, STOP_MS))) {
    process.kill(state.pid, 'SIGKILL');
    await gone(folder, state, STOP_MS);
  }
  return true;
}

/** Removes the folder's data; only what a broker of ours has made. */
export async function resetBroker(folder) {
  if (!readState(folder)) return false;
  await stopBroker(folder);
  const { data, log, properties: settings, state } = files(folder);
  for (const file of [data, log, settings, state]) rmSync(file, { recursive: true, force: true });
  return true;
}

export const address = ({ port }) => `127.0.0.1:${port}`;

/** Answers when the broker answers: the port alone is open earlier. */
export async function serving(state, withinMs = READY_MS) {
  const end = performance.now() + withinMs;
  for (;;) {
    const kafka = new Kafka({
      clientId: 'hallway-launcher',
      brokers: [address(state)],
      logLevel: logLevel.NOTHING,
      connectionTimeout: 1_000,
      retry: { retries: 0 },
    });
    const admin = kafka.admin();
    try {
      await admin.connect();
      const { brokers, clusterId } = await admin.describeCluster();
      if (brokers.length === 1 && clusterId === state.clusterId) return;
      throw new Error(`another cluster answers at ${address(state)}`);
    } catch (error) {
      if (performance.now() > end) throw new Error('Kafka does not serve', { cause: error });
    } finally {
      await admin.disconnect();
    }
    await sleep(100);
  }
}

function format({ lib, settings, clusterId }) {
  const args = [...JVM, '-cp', `${lib}/*`, 'kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', settings, '--ignore-formatted'];
  const { status, error, stdout, stderr } = spawnSync('java', args, { encoding: 'utf8' });
  if (error || status !== 0) throw new Error(`Kafka's storage could not be formatted: ${error?.message ?? stdout + stderr}`);
}

function writeState(folder, state) {
  const { state: file } = files(folder);
  writeFileSync(`${file}.part`, JSON.stringify(state));
  renameSync(`${file}.part`, file);
}

async function gone(folder, state, withinMs) {
  const end = performance.now() + withinMs;
  while (isRunning(folder, state)) {
    if (performance.now() > end) return false;
    await sleep(50);
  }
  return true;
}

const newClusterId = () => randomBytes(16).toString('base64url').replace(/^-/, 'A');

const listen = (port) =>
  new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
const close = (server) => new Promise((resolve) => server.close(resolve));

async function isFree(port) {
  try {
    await close(await listen(port));
    return true;
  } catch {
    return false;
  }
}

/** All are held before one is given back, else they could be the same. */
async function freePorts() {
  const servers = [await listen(0), await listen(0), await listen(0)];
  const [port, controllerPort, securePort] = servers.map((server) => server.address().port);
  await Promise.all(servers.map(close));
  return { port, controllerPort, securePort };
}
