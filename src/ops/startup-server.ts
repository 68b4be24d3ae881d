/**
 * The process's HTTP server from its first second on. Until the service answers by itself: `/healthz` says that the process is alive,
 * `/readyz` names what it is doing and how long that will take, and everything else is refused with "try again".
 */
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { Refusal } from '#libs/protocol';
import { type Config, ConfigError } from '../config.js';
import { ConnectionGuard } from '../doors/http/connections/connection-guard.js';
import { EXTRA_CONNECTIONS, SERVER_TIMEOUTS } from '../doors/http/connections/limits.js';
import { numberParserErrors } from '../doors/http/parser-errors.js';
import { problemOf } from '../doors/http/problem.js';

export interface BuildProgress {
  readonly done: number;
  readonly total: number;
}

export interface StartupServer {
  readonly server: Server;
  /** Bounds what is asked, from the first second on. */
  readonly guard: ConnectionGuard;
  /** What `/readyz` says from now on. */
  phase(text: string): void;
  /** How far the read models are built: the phase, and the estimate. */
  progress(progress: BuildProgress): void;
  /** From now on this answers. */
  handOver(handler: RequestListener): void;
  /** Takes no more connections and ends those that are open. Harmless if it never listened. */
  close(): Promise<void>;
}

const RETRY_MS = 2_000;
/** A storm of returning clients must not meet Node's short default queue. */
const BACKLOG = 4_096;

/** Listens at once. @throws ConfigError: the port cannot be had */
export async function startServer(config: Config): Promise<StartupServer> {
  const startup = new Startup(config.ROLE);
  startup.server.maxConnections = config.HALLWAY_MAX_SOCKETS + EXTRA_CONNECTIONS;
  await listenOn(startup.server, config);
  return startup;
}

class Startup implements StartupServer {
  readonly server = createServer(SERVER_TIMEOUTS);
  readonly guard = new ConnectionGuard(this.server);
  readonly #sockets = new Set<Socket>();
  readonly #early: RequestListener = (request, response) => this.#answer(request, response);
  #phase = 'opening the database';
  #build: { readonly from: BuildProgress; readonly since: number; at: BuildProgress } | undefined;

  constructor(private readonly role: string) {
    numberParserErrors(this.server);
    this.server.on('request', this.#early);
    this.server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  phase(text: string): void {
    this.#phase = text;
    this.#build = undefined;
  }

  progress(at: BuildProgress): void {
    this.#phase = 'building read models';
    this.#build ??= { from: at, since: performance.now(), at };
    this.#build.at = at;
  }

  handOver(handler: RequestListener): void {
    this.server.off('request', this.#early);
    this.server.on('request', handler);
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    // Node ends those that are idle; WebSockets and answers that are under way would be waited for.
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #answer({ url = '' }: IncomingMessage, response: ServerResponse): void {
    const [path] = url.split('?');
    if (path === '/healthz') {
      send(response, 200, 'application/json', { ok: true, ...this.#state() });
    } else if (path === '/readyz' || path === '/readyz/clients') {
      send(response, 503, 'application/json', { ok: false, ...this.#state(), errors: [{ error: this.#phase }] });
    } else {
      const refusal = new Refusal('loading', `the service is starting: ${this.#phase}`, RETRY_MS);
      response.setHeader('retry-after', Math.ceil(RETRY_MS / 1_000));
      send(response, refusal.httpStatus, 'application/problem+json', problemOf(refusal));
    }
  }

  #state(): object {
    return { role: this.role, phase: this.#phase, ...(this.#build ? { build: estimate(this.#build) } : {}) };
  }
}

/** By the speed since it was first seen; null while nothing was built. */
function estimate({ from, since, at: { done, total } }: { from: BuildProgress; since: number; at: BuildProgress }) {
  const built = done - from.done;
  const perMs = built / (performance.now() - since);
  return { done, total, remainingSeconds: built > 0 ? Math.ceil(Math.max(total - done, 0) / perMs / 1_000) : null };
}

function send(response: ServerResponse, status: number, type: string, body: object): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}

/** @throws ConfigError */
function listenOn(server: Server, { PORT, HOST }: Config): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', ({ code, message }: NodeJS.ErrnoException) =>
      reject(
        new ConfigError(
          `201 PORT: ${HOST}:${PORT} ${code === 'EADDRINUSE' ? 'is taken' : `cannot be had (${code ?? message})`}`,
        ),
      ),
    );
    server.listen({ port: PORT, host: HOST, backlog: BACKLOG }, () => resolve(server.address() as AddressInfo));
  });
}
