/** Composition of one process: store → projector and/or gateway → doors, and the way back down. */
import { randomUUID } from 'node:crypto';
import type { GroupReader } from '#libs/event-log';
import { createFeed, FEED_CHANNEL, type Feed } from '#libs/feed';
import { configureLimit, defineLimit } from '#libs/limits';
import { answers, createPool, type Logger, notifier, type Queryable, takeLease } from '#libs/postgres';
import { liveGeneration, type Projecting, startProjecting } from '#libs/projector';
import { Refusal } from '#libs/protocol';
import { generationMigrations } from '../migrations/index.js';
import { catalog } from './conference/catalog.js';
import { projectionSet } from './conference/projection-set.js';
import { projectionVersion } from './conference/projection-version.js';
import { type Config, ConfigError } from './config.js';
import { type Demo, type DemoPorts, startDemo } from './demo/demo.js';
import { type CommandDoor, createCommandDoor } from './doors/commands/command-door.js';
import { createOutcomes } from './doors/commands/outcomes.js';
import { createConferenceList } from './doors/http/conference-list.js';
import type { GuardCounts } from './doors/http/connections/connection-guard.js';
import type { HttpPorts } from './doors/http/ports.js';
import { DEFAULT_LIMITS } from './doors/sockets/admission.js';
import { createSocketDoor, type SocketDoor, type SocketStats } from './doors/sockets/socket-door.js';
import { createTokens, type Tokens } from './doors/tokens/tokens.js';
import { openServer } from './http-server.js';
import { forgetOldDeadLetters } from './intake/dead-letters.js';
import { createIntake, type Intake } from './intake/intake.js';
import { openIntake } from './intake/open-intake.js';
import { kafkaConnection } from './open-log.js';
import { createHealth } from './ops/health.js';
import { observeService } from './ops/observe.js';
import { type StartupServer, startServer } from './ops/startup-server.js';
import { openStore, type Store } from './store.js';

export interface Service {
  readonly url: string;
  readonly store: Store;
  readonly tokens: Tokens;
  readonly feed: Feed;
  readonly projecting: Projecting | undefined;
  readonly demo: Demo | undefined;
  /** A command as the doors take it. */
  readonly handle: DemoPorts['handle'];
  readonly readLive: DemoPorts['readLive'];
  socketStats(): SocketStats;
  httpStats(): GuardCounts;
  /** Resolves if the process can do nothing useful any more; the answer says why. */
  readonly ended: Promise<string>;
  /** Idempotent. @throws CloseFailed, after everything was tried */
  stop(): Promise<void>;
}

export interface ServiceOptions {
  readonly config: Config;
  readonly logger: Logger;
  /** Instead of the hash of the built projections. */
  readonly projectionVersion?: string;
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}

const GATEWAY_STATEMENT_MS = defineLimit({
  name: 'database.gateway.statement.time',
  value: 3_000,
  unit: 'ms',
  beyond: 'the statement is cancelled',
});

export async function createService(options: ServiceOptions): Promise<Service> {
  const { config, logger } = options;
  // Refused after the database is open: whoever holds the folder says more than the port that is taken.
  const listening = startServer(config);
  listening.catch(() => undefined);
  const onDiskFull = (problem: string) => {
    logger.error({ dataDir: config.DATA_DIR }, problem);
    void listening.then((startup) => startup.phase(problem)).catch(() => undefined);
  };
  const store = await openStore(config, logger, { onDiskFull }).catch(async (error: unknown) => {
    await listening.then((startup) => startup.close()).catch(() => undefined);
    throw error;
  });
  const { closers } = store;
  closers.add('sweep of dead letters', forgetOldDeadLetters(store.pool, logger));
  try {
    // Before anything is joined that would count on this process.
    const startup = await listening;
    closers.add('server', () => startup.close());
    startup.phase('reading the generations');
    const projecting = config.ROLE === 'gateway' ? undefined : await project(options, store, startup);
    startup.phase('opening the gateway');
    if (projecting) closers.add('projector', () => projecting.stop());
    let intake: GroupReader | undefined;
    const gateway = await openGateway(options, { store, startup, projecting, intake: () => intake?.status() });
    intake = takeFromKafka(options, store, gateway.intake);
    closers.add('intake', () => intake?.close());
    const demo = wantsDemo(config)
      ? await startDemo({ ...gateway, takeLease: () => takeLease(store.pool, 'demo'), logger })
      : undefined;
    if (demo) closers.add('demo', () => demo.player.stop());
    const ended = Promise.race([
      store.died.then(() => 'the embedded database has ended'),
      new Promise<string>((resolve) =>
        projecting?.projector.onRetired(() => resolve('another projection version has taken over')),
      ),
    ]);
    return {
      url: gateway.url,
      store,
      tokens: gateway.tokens,
      feed: gateway.feed,
      projecting,
      demo,
      handle: gateway.handle,
      readLive: gateway.readLive,
      socketStats: () => gateway.sockets.stats(),
      httpStats: () => startup.guard.counts(),
      ended,
      stop: () => closers.close(),
    };
  } catch (error) {
    await closers.close().catch(() => undefined); // Logged; why it did not start is the news.
    throw error;
  }
}

/** The projector of this process, as the gateway beside it knows it. */
interface LocalProjecting extends Projecting {
  /** Payload of its notifications: what this process has committed it need not be told. */
  readonly sender: string;
  onCommit(listener: () => void): void;
}

async function project(
  { config, logger, onProgress, projectionVersion: version = projectionVersion() }: ServiceOptions,
  store: Store,
  startup: StartupServer,
): Promise<LocalProjecting> {
  const listeners: (() => void)[] = [];
  const bell = notifier({ database: store.pool, channel: FEED_CHANNEL, logger });
  const { url, pool, log, journal } = store;
  const owner = `${config.ROLE}-${process.pid}-${randomUUID().slice(0, 8)}`;
  const projecting = await startProjecting({
    url,
    pool,
    log,
    journal,
    catalog,
    owner,
    logger,
    ...(config.KAFKA_BROKERS ? { topic: config.KAFKA_EVENTS_TOPIC } : {}),
    migrations: generationMigrations,
    set: projectionSet(version),
    onCommit() {
      for (const listener of listeners) listener();
      bell.notify(owner);
    },
    // One process for everything, alone with its database: whoever starts an earlier version there means to go back.
    mayGoBack: config.DATABASE_URL === undefined,
    onSuperseded: (reason) => startup.phase(reason),
    onProgress(progress) {
      startup.progress(progress);
      onProgress?.(progress);
    },
  });
  return {
    ...projecting,
    sender: owner,
    onCommit: (listener) => listeners.push(listener),
    async stop() {
      await projecting.stop();
      await bell.close();
    },
  };
}

/** undefined: there is no Kafka, or this process only projects. */
function takeFromKafka({ config, logger }: ServiceOptions, store: Store, intake: Intake): GroupReader | undefined {
  const connection = config.ROLE === 'projector' ? undefined : kafkaConnection(config);
  return connection && openIntake({ config, connection, intake, db: store.pool, logger });
}

/** One process for everything is somebody trying it out, whatever it stands on. */
const wantsDemo = ({ ROLE, HALLWAY_DEMO }: Config): boolean =>
  ROLE !== 'projector' && (HALLWAY_DEMO ?? (ROLE === 'all' ? 'on' : 'off')) === 'on';

interface Gateway extends Pick<DemoPorts, 'handle' | 'readLive'> {
  readonly url: string;
  readonly tokens: Tokens;
  readonly feed: Feed;
  readonly sockets: SocketDoor;
  readonly intake: Intake;
}

/** Woken at once by what this process commits. */
function localFeed(
  { url, log }: Store,
  pool: ReturnType<typeof createPool>,
  projecting: LocalProjecting | undefined,
  logger: Logger,
): Feed {
  const { sender: ownSender } = projecting ?? {};
  const feed = createFeed({ pool, url, partitions: log.partitions, logger, ...(ownSender ? { ownSender } : {}) });
  projecting?.onCommit(() => feed.wake());
  return feed;
}

interface GatewayParts {
  readonly store: Store;
  readonly startup: StartupServer;
  readonly projecting: LocalProjecting | undefined;
  readonly intake: () => object | undefined;
}

async function openGateway(
  { config, logger }: ServiceOptions,
  { store, startup, projecting, intake }: GatewayParts,
): Promise<Gateway> {
  const { closers } = store;
  const pool = gatewayPool(store, logger);
  closers.add('pool of the gateway', () => pool.end());
  const feed = localFeed(store, pool, projecting, logger);
  closers.add('feed', () => feed.close());
  const tokens = await createTokens(store.pool);
  closers.add('watch of revocations', tokens.watch(logger));
  const commands = createCommandDoor({
    feed,
    journal: store.journal,
    logger,
    findOutcome: createOutcomes(pool),
  });
  configureLimit('sockets.admitted', config.HALLWAY_MAX_SOCKETS);
  const limits = { ...DEFAULT_LIMITS, maxSockets: config.HALLWAY_MAX_SOCKETS };
  const sockets = createSocketDoor({ feed, tokens, commands, logger, limits });
  const { projector } = projecting ?? {};
  const readLiveHere: HttpPorts['readLive'] = (read) => readLive(pool, read);
  const observed = { role: config.ROLE, store, projecting, feed, sockets, pool, readLive: readLiveHere };
  closers.add('metrics of the gateway', observeService(observed));
  const health = createHealth({
    role: config.ROLE,
    feed,
    projector,
    sockets,
    intake,
    database: () => store.problem(),
    logAlarms: () => store.log.alarms(),
    reachesDatabase: () => answers(store.url),
  });
  const ports: HttpPorts = {
    feed,
    commands,
    intake: intakeOf(config, commands),
    tokens,
    health,
    logger,
    readLive: readLiveHere,
    listConferences: createConferenceList(readLiveHere),
    publicUrl: config.publicUrl,
    joinBudget: config.HALLWAY_JOIN_BUDGET,
  };
  closers.add('health', () => health.close());
  const url = await openServer({ config, startup, ports, sockets, health, closers });
  return {
    url,
    tokens,
    feed,
    sockets,
    intake: ports.intake,
    handle: commands.handle.bind(commands),
    readLive: ports.readLive,
  };
}

const gatewayPool = ({ url }: Store, logger: Logger) =>
  createPool({ url, applicationName: 'hallway gateway', logger, max: 4, statementTimeoutMs: GATEWAY_STATEMENT_MS });

/** @throws ConfigError: a source may send what nobody knows */
function intakeOf({ HALLWAY_PRODUCERS: producers = {} }: Config, commands: CommandDoor): Intake {
  const unknown = Object.values(producers)
    .flat()
    .find((type) => type !== '*' && !catalog.has(type));
  if (unknown) throw new ConfigError(`201 HALLWAY_PRODUCERS: there is no event ${unknown}`);
  return createIntake({ producers, handle: (command) => commands.takeForeign(command) });
}

async function readLive<T>(pool: Queryable, read: (db: Queryable, schema: string) => Promise<T>): Promise<T> {
  const live = await liveGeneration(pool);
  if (!live) throw new Refusal('behind', undefined, 1_000);
  return read(pool, live.schema);
}
