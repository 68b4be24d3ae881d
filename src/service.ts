/** Composition of one process: store → projector and/or gateway → doors, and the way back down. */
import { randomUUID } from 'node:crypto';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import compression from 'compression';
import type { Response } from 'express';
import type { GroupReader } from '#libs/event-log';
import { createFeed, FEED_CHANNEL, type Feed } from '#libs/feed';
import { createPool, type Logger, notifier, type Queryable, takeLease } from '#libs/postgres';
import { liveGeneration, type Projecting, startProjecting } from '#libs/projector';
import { Refusal } from '#libs/protocol';
import { generationMigrations } from '../migrations/index.js';
import { AppModule } from './app.module.js';
import { catalog } from './conference/catalog.js';
import { projectionSet } from './conference/projection-set.js';
import { projectionVersion } from './conference/projection-version.js';
import { type Config, ConfigError } from './config.js';
import { type Demo, type DemoPorts, startDemo } from './demo/demo.js';
import { type CommandDoor, createCommandDoor } from './doors/commands/command-door.js';
import { createOutcomes } from './doors/commands/outcomes.js';
import { createConferenceList } from './doors/http/conference-list.js';
import { guardHttp } from './doors/http/http-door.module.js';
import { WEB_FOLDER } from './doors/http/pages.controller.js';
import type { HttpPorts } from './doors/http/ports.js';
import { DEFAULT_LIMITS } from './doors/sockets/admission.js';
import { createSocketDoor, type SocketDoor, type SocketStats } from './doors/sockets/socket-door.js';
import { createTokens, type Tokens } from './doors/tokens/tokens.js';
import { forgetOldDeadLetters } from './intake/dead-letters.js';
import { createIntake, type Intake } from './intake/intake.js';
import { openIntake } from './intake/open-intake.js';
import { kafkaConnection } from './open-log.js';
import { createHealth } from './ops/health.js';
import { observeService } from './ops/observe.js';
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
  /** Resolves if the process can do nothing useful any more; the answer says why. */
  readonly ended: Promise<string>;
  stop(): Promise<void>;
}

export interface ServiceOptions {
  readonly config: Config;
  readonly logger: Logger;
  /** Instead of the hash of the built projections. */
  readonly projectionVersion?: string;
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}

const GATEWAY_STATEMENT_MS = 3_000;

export async function createService(options: ServiceOptions): Promise<Service> {
  const { config, logger } = options;
  const store = await openStore(config, logger);
  const closers: (() => Promise<void>)[] = [() => store.close()];
  const stopForgetting = forgetOldDeadLetters(store.pool, logger);
  closers.push(async () => stopForgetting());
  // The last opened is closed first; the database last of all.
  const closeAll = async () => {
    for (const close of closers.reverse()) await close();
  };
  try {
    // Before anything is joined that would count on this process.
    await portIsFree(config);
    const projecting = config.ROLE === 'gateway' ? undefined : await project(options, store);
    if (projecting) closers.push(() => projecting.stop());
    let intake: GroupReader | undefined;
    const gateway = await openGateway(options, store, projecting, () => intake?.status());
    closers.push(() => gateway.stop());
    intake = takeFromKafka(options, store, gateway.intake);
    closers.push(async () => intake?.close());
    const demo = wantsDemo(config)
      ? await startDemo({ ...gateway, takeLease: () => takeLease(store.pool, 'demo'), logger })
      : undefined;
    if (demo) closers.push(() => demo.player.stop());
    const ended = Promise.race([
      store.died.then(() => 'the embedded database has ended'),
      new Promise<string>((resolve) =>
        projecting?.projector.onRetired(() => resolve('another projection version has taken over')),
      ),
    ]);
    let stopping: Promise<void> | undefined;
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
      ended,
      stop: () => (stopping ??= closeAll()),
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

async function project(
  { config, logger, onProgress, projectionVersion: version = projectionVersion() }: ServiceOptions,
  store: Store,
): Promise<Projecting> {
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
    migrations: generationMigrations,
    set: projectionSet(version),
    onCommit: () => bell.notify(),
    ...(onProgress ? { onProgress } : {}),
  });
  return {
    ...projecting,
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
  stop(): Promise<void>;
}

async function openGateway(
  { config, logger }: ServiceOptions,
  store: Store,
  projecting: Projecting | undefined,
  intake: () => object | undefined,
): Promise<Gateway> {
  const pool = gatewayPool(store, logger);
  const feed = createFeed({ pool, url: store.url, partitions: store.log.partitions, logger });
  const tokens = await createTokens(store.pool);
  const commands = createCommandDoor({
    feed,
    journal: store.journal,
    logger,
    findOutcome: createOutcomes(pool),
  });
  const limits = { ...DEFAULT_LIMITS, maxSockets: config.HALLWAY_MAX_SOCKETS };
  const sockets = createSocketDoor({ feed, tokens, commands, logger, limits });
  const { projector } = projecting ?? {};
  const readLiveHere: HttpPorts['readLive'] = (read) => readLive(pool, read);
  const observed = { role: config.ROLE, store, projecting, feed, sockets, pool, readLive: readLiveHere };
  const unobserve = observeService(observed);
  const health = createHealth({ role: config.ROLE, feed, projector, sockets, intake });
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
  const app = await createApp(ports, config.ROLE);
  const server = app.getHttpServer();
  if (config.ROLE !== 'projector') sockets.attach(server);
  const stop = async () => {
    health.drain();
    unobserve();
    await sockets.drain(config.HALLWAY_DRAIN_MS);
    await sockets.close();
    await app.close();
    health.close();
    await feed.close();
    await pool.end();
  };
  const port = await portOf(server, config, stop);
  return {
    url: config.PORT === 0 ? `http://${config.HOST}:${port}` : config.publicUrl,
    tokens,
    feed,
    sockets,
    intake: ports.intake,
    handle: commands.handle.bind(commands),
    readLive: ports.readLive,
    stop,
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

async function createApp(ports: HttpPorts, role: Config['ROLE']): Promise<NestExpressApplication> {
  const app = await NestFactory.create<NestExpressApplication>(AppModule.forRoot(ports, role), {
    logger: false,
    bodyParser: false,
    forceCloseConnections: true,
  });
  guardHttp(app, ports);
  if (role !== 'projector') servePages(app);
  await app.init();
  return app;
}

/** Listens; what was opened for it is closed if it cannot. @throws ConfigError */
async function portOf(server: Server, config: Config, stop: () => Promise<void>): Promise<number> {
  try {
    return (await listenOn(server, config)).port;
  } catch (error) {
    await stop();
    throw error;
  }
}

/** @throws ConfigError */
async function portIsFree(config: Config): Promise<void> {
  const server = createServer();
  await listenOn(server, config);
  await new Promise((resolve) => server.close(resolve));
}

/** A storm of returning clients must not meet Node's short default queue. @throws ConfigError */
function listenOn(server: Server, { PORT, HOST }: Config): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', ({ code, message }: NodeJS.ErrnoException) =>
      reject(
        new ConfigError(
          `201 PORT: ${HOST}:${PORT} ${code === 'EADDRINUSE' ? 'is taken' : `cannot be had (${code ?? message})`}`,
        ),
      ),
    );
    server.listen({ port: PORT, host: HOST, backlog: 4_096 }, () => resolve(server.address() as AddressInfo));
  });
}

/** Hashed files may be kept for ever, pages are asked for anew. Answers of the interface stay as they are: an import's progress must not wait in a buffer. */
function servePages(app: NestExpressApplication): void {
  const setHeaders = (response: Response, file: string) =>
    response.setHeader('cache-control', file.endsWith('.html') ? 'no-cache' : 'public, max-age=31536000, immutable');
  app.use(
    compression({
      filter: (_request, response) => /html|javascript|css/.test(String(response.getHeader('content-type'))),
    }),
  );
  app.useStaticAssets(WEB_FOLDER, { index: 'index.html', extensions: ['html'], setHeaders, redirect: false });
}
