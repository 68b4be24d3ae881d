/** The HTTP server of a process: the application behind it, the pages, the port. */
import { type AddressInfo, createServer, type Server } from 'node:net';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import compression from 'compression';
import type { Response } from 'express';
import { AppModule } from './app.module.js';
import { CLOSE_WITHIN_MS, type Closers } from './closers.js';
import { type Config, ConfigError } from './config.js';
import { guardHttp } from './doors/http/http-door.module.js';
import { WEB_FOLDER } from './doors/http/pages.controller.js';
import type { HttpPorts } from './doors/http/ports.js';
import { createRequestDrain, type RequestDrain } from './doors/http/request-drain.js';
import type { SocketDoor } from './doors/sockets/socket-door.js';

interface ServerParts {
  readonly config: Config;
  readonly ports: HttpPorts;
  readonly sockets: SocketDoor;
  readonly health: { drain(): void };
  /** Gets what ends the server: clients are asked to leave first, then connections are closed. */
  readonly closers: Closers;
}

/** @returns where it is reached. @throws ConfigError */
export async function openServer({ config, ports, sockets, health, closers }: ServerParts): Promise<string> {
  const requests = createRequestDrain();
  const app = await createApp(ports, config.ROLE, requests.handle);
  const server = app.getHttpServer();
  if (config.ROLE !== 'projector') sockets.attach(server);
  closers.add('connections', () => {
    // Sockets whose clients do not answer keep both from their ends until the application destroys what is left.
    const requestsEnd = requests.end(server).then(() => app.close());
    return Promise.all([sockets.close(), requestsEnd]);
  });
  const drain = () => {
    health.drain();
    requests.begin();
    return sockets.drain(config.HALLWAY_DRAIN_MS);
  };
  closers.add('drain', drain, config.HALLWAY_DRAIN_MS + CLOSE_WITHIN_MS);
  const { port } = await listenOn(server, config);
  return config.PORT === 0 ? `http://${config.HOST}:${port}` : config.publicUrl;
}

/** Built, not yet listening. @param first  handles each request before anything else */
async function createApp(
  ports: HttpPorts,
  role: Config['ROLE'],
  first: RequestDrain['handle'],
): Promise<NestExpressApplication> {
  const app = await NestFactory.create<NestExpressApplication>(AppModule.forRoot(ports, role), {
    logger: false,
    bodyParser: false,
    forceCloseConnections: true,
  });
  app.use(first);
  guardHttp(app, ports);
  if (role !== 'projector') servePages(app);
  await app.init();
  return app;
}

/** @throws ConfigError */
export async function portIsFree(config: Config): Promise<void> {
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
