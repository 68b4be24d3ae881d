/** The application behind the HTTP server of a process, and the pages. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express';
import compression from 'compression';
import type { Response } from 'express';
import { AppModule } from './app.module.js';
import { CLOSE_WITHIN_MS, type Closers } from './closers.js';
import type { Config } from './config.js';
import { refusalByLoad } from './doors/http/early-judgement.js';
import { guardHttp } from './doors/http/http-door.module.js';
import { WEB_FOLDER } from './doors/http/pages.controller.js';
import type { HttpPorts } from './doors/http/ports.js';
import { createRequestDrain, type RequestDrain } from './doors/http/request-drain.js';
import { isFromDesk, turningAway } from './doors/http/turn-away.js';
import type { SocketDoor } from './doors/sockets/socket-door.js';
import type { StartupServer } from './ops/startup-server.js';

interface ServerParts {
  readonly config: Config;
  /** Listens already; the application takes it over. */
  readonly startup: StartupServer;
  readonly ports: HttpPorts;
  readonly sockets: SocketDoor;
  readonly health: { drain(): void };
  /** Gets what ends the server: clients are asked to leave first, then connections are closed. */
  readonly closers: Closers;
}

/** @returns where it is reached */
export async function openServer(parts: ServerParts): Promise<string> {
  const { config, startup, sockets, health, closers } = parts;
  const { server } = startup;
  const requests = createRequestDrain();
  const app = await createApp(parts, requests.handle);
  if (config.ROLE !== 'projector') sockets.attach(server);
  closers.add('connections', () => {
    // Sockets whose clients do not answer keep both from their ends until what is left is destroyed.
    const requestsEnd = requests.end(server).then(() => startup.close());
    return Promise.all([sockets.close(), requestsEnd]).then(() => app.close());
  });
  const drain = () => {
    health.drain();
    requests.begin();
    return sockets.drain(config.HALLWAY_DRAIN_MS);
  };
  closers.add('drain', drain, config.HALLWAY_DRAIN_MS + CLOSE_WITHIN_MS);
  const { port } = server.address() as AddressInfo;
  return config.PORT === 0 ? `http://${config.HOST}:${port}` : config.publicUrl;
}

/** Nest on a server that listens already. */
class RunningServer extends ExpressAdapter {
  constructor(server: Server) {
    super();
    this.httpServer = server;
  }

  override initHttpServer(): void {
    // It has one.
  }
}

/** From its end on it answers. @param first  handles each request before anything else */
async function createApp(
  { config: { ROLE: role }, startup, ports }: ServerParts,
  first: RequestDrain['handle'],
): Promise<NestExpressApplication> {
  const adapter = new RunningServer(startup.server);
  const app = await NestFactory.create<NestExpressApplication>(AppModule.forRoot(ports, role), adapter, {
    logger: false,
    bodyParser: false,
  });
  app.use(first);
  guardHttp(app, ports);
  if (role !== 'projector') servePages(app);
  await app.init();
  startup.handOver(turningAway(adapter.getInstance(), ports));
  startup.guard.refuseBy(refusalByLoad);
  startup.guard.letFirst((request) => isFromDesk(request, ports.tokens));
  return app;
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
