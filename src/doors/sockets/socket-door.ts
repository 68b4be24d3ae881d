/** The socket.io door: admission, handshake, subscriptions, commands, closing. What is written to whom and when is in hall.ts. */
import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Server, type Socket } from 'socket.io';
import type { Feed } from '#libs/feed';
import type { Logger } from '#libs/postgres';
import { type ClientClass, handshakeSchema, parseBounded, Refusal, type RefusalName } from '#libs/protocol';
import { mayConnect } from '../../conference/access.js';
import { stateOf } from '../../conference/state.js';
import type { CommandDoor } from '../commands/command-door.js';
import type { Tokens } from '../tokens/tokens.js';
import { Admission, type AdmissionLimits, DEFAULT_LIMITS, TokenBucket } from './admission.js';
import { SocketCounts } from './counts.js';
import { type Conn, corkForATurn, fastPathProblem, Outlet } from './fan-out.js';
import type { Follower, Following } from './follower.js';
import { BEACON_MS, Hall } from './hall.js';
import { answerHandshake, answerMessages } from './messages.js';
import { ConnectionClosed, openUntilClosed } from './open-until-closed.js';
import { recheck } from './recheck.js';

export interface SocketDoorPorts {
  readonly feed: Feed;
  readonly tokens: Tokens;
  readonly commands: CommandDoor;
  readonly logger: Logger;
  readonly limits?: AdmissionLimits;
}

export interface SocketStats {
  readonly sockets: Readonly<Record<ClientClass, number>>;
  readonly frames: number;
  readonly skipped: number;
  readonly closedSlow: number;
  /** Connections that were closed while their handshake was being checked. */
  readonly abandoned: number;
  /** Final answers to returning clients. */
  readonly resumes: Readonly<Record<'changes' | 'snapshot' | 'current' | 'ahead' | 'refused', number>>;
  /** By number. */
  readonly refused: Readonly<Record<number, number>>;
  /** Why frames take the slow way; null: they do not. */
  readonly slowPath: string | null;
}

export interface SocketDoor {
  attach(server: HttpServer): void;
  stats(): SocketStats;
  /** Asks clients to leave within so many milliseconds, refuses new ones, then closes what is left. */
  drain(withinMs: number): Promise<void>;
  close(): Promise<void>;
}

/** In place of engine.io's own answer, whose number is none of ours (I11). */
function websocketOnly(request: IncomingMessage, response: ServerResponse, next: () => void): void {
  if (request.headers.upgrade) {
    next();
    return;
  }
  const refusal = new Refusal('unsupported-protocol', 'the feed is served over websockets only');
  response.writeHead(refusal.httpStatus, { 'content-type': 'application/problem+json' });
  response.end(JSON.stringify({ title: refusal.refusal, status: refusal.httpStatus, ...refusal.body() }));
}

const CLASSES: readonly ClientClass[] = ['screen', 'desk', 'phone'];

/** engine.io has read it; to read it again was a twentieth of a join. */
function classOf(request: IncomingMessage): ClientClass {
  const asked = (request as { readonly _query?: { readonly class?: unknown } })._query?.class;
  return CLASSES.find((known) => known === asked) ?? 'phone';
}

const SLOW_MS = 10_000;
const SWEEP_MS = 250;
const RESUME_SLICE = 100;

export const createSocketDoor = (ports: SocketDoorPorts): SocketDoor => new Door(ports);

export class Door implements SocketDoor {
  readonly halls = new Map<string, Hall>();
  readonly counted: SocketCounts;
  private readonly admission: Admission;
  private readonly delay = monitorEventLoopDelay({ resolution: 10 });
  private readonly timers: NodeJS.Timeout[] = [];
  private readonly unobserve: () => void;
  private io: Server | undefined;
  private draining = false;
  private factor = 1;

  constructor(readonly ports: SocketDoorPorts) {
    this.admission = new Admission(ports.limits ?? DEFAULT_LIMITS);
    this.counted = new SocketCounts(ports.logger);
    this.unobserve = this.counted.observe();
  }

  attach(server: HttpServer): void {
    const io = new Server(server, {
      transports: ['websocket'],
      perMessageDeflate: false,
      httpCompression: false,
      serveClient: false,
      maxHttpBufferSize: 100_000,
      pingInterval: 20_000,
      pingTimeout: 20_000,
      connectTimeout: 10_000,
      allowRequest: (request, decide) => decide(null, this.admits(request)),
    });
    this.io = io;
    io.engine.use(websocketOnly);
    io.use((socket, next) => {
      this.enter(socket).then(
        () => {
          (socket.data as { follower: Follower }).follower.outlet.cork();
          next();
        },
        (error: unknown) => {
          if (error instanceof ConnectionClosed) {
            this.counted.abandoned += 1;
            return;
          }
          next(this.toConnectError(socket, error));
          // socket.io would keep the connection for all of `connectTimeout`. Its answer leaves first: engine.io drains before it closes.
          setImmediate(() => socket.conn.close());
        },
      );
    });
    // Everything a connection needs was made in the middleware; nothing here can throw.
    io.on('connection', (socket) => this.entered(socket));
    this.delay.enable();
    for (const cls of CLASSES) this.timers.push(setInterval(() => this.beacons(cls), BEACON_MS[cls]));
    this.timers.push(setInterval(() => this.sweep(), SWEEP_MS));
  }

  stats(): SocketStats {
    const sockets = { screen: 0, desk: 0, phone: 0 };
    for (const hall of this.halls.values()) for (const cls of CLASSES) sockets[cls] += hall.followers.of(cls).size;
    const { frames, skipped, closedSlow, abandoned, resumes, refused } = this.counted;
    const counts = { frames, skipped, closedSlow, abandoned, resumes: { ...resumes }, refused: { ...refused } };
    return { sockets, slowPath: fastPathProblem(), ...counts };
  }

  async drain(withinMs: number): Promise<void> {
    this.draining = true;
    this.io?.emit('drain', { within: withinMs });
    const end = performance.now() + withinMs;
    while (performance.now() < end && [...this.halls.values()].some(({ followers }) => followers.size > 0))
      await new Promise((resolve) => setTimeout(resolve, 50));
  }

  async close(): Promise<void> {
    this.draining = true;
    this.unobserve();
    for (const timer of this.timers) clearInterval(timer);
    this.delay.disable();
    this.io?.disconnectSockets(true);
    await this.io?.close();
    for (const hall of this.halls.values()) hall.close();
  }

  /** Once: a socket that is on its way out is refused no second time. */
  refuse(follower: Follower, name: RefusalName): void {
    if (follower.leaving) return;
    follower.leaving = true;
    this.counted.refuse(new Refusal(name).code);
    follower.socket.emit('refused', new Refusal(name).body());
    // Its goodbye leaves first; a transport that takes nothing is closed all the same.
    setTimeout(() => follower.socket.disconnect(true), 50);
  }

  /** Only overload is refused here: a client learns nothing but "websocket error" from it, and tries again. */
  private admits(request: IncomingMessage): boolean {
    const cls = classOf(request);
    const admitted = !this.draining && this.admission.admit(cls, this.io?.engine.clientsCount ?? 0, performance.now());
    // The upgrade and engine.io's greeting. Not of a refusal, after which engine.io destroys the socket with what is corked.
    if (admitted) corkForATurn(request.socket);
    else this.counted.turnedAway.upgrade[cls] += 1;
    return admitted;
  }

  private async enter(socket: Socket): Promise<void> {
    if (this.draining) throw new Refusal('draining', undefined, 1_000);
    const auth: unknown = socket.handshake.auth;
    if ((auth as { protocol?: unknown } | null)?.protocol !== 1) throw new Refusal('unsupported-protocol');
    const { conference, class: cls, token, channels: asked } = parseBounded(handshakeSchema, auth);
    const verified = await this.ports.tokens.verify(token);
    if (verified.identity.conference !== '*' && verified.identity.conference !== conference)
      throw new Refusal('wrong-conference');
    const feed = await openUntilClosed(this.ports.feed, conference, socket.conn);
    const allowed = mayConnect(verified.identity, stateOf(feed));
    if (allowed !== 'ok') throw allowed;
    const follower: Follower = {
      socket,
      outlet: new Outlet(socket.conn as unknown as Conn),
      cls,
      verified,
      conference,
      feed,
      channels: new Map(),
      bucket: new TokenBucket(50, 100),
      leaving: false,
      slowSince: null,
    };
    this.counted.lookAtPath();
    socket.data = { follower, asked };
  }

  private entered(socket: Socket): void {
    const { follower, asked } = socket.data as { follower: Follower; asked: unknown };
    const hall = this.hallOf(follower);
    hall.followers.add(follower);
    const expiry = setTimeout(
      () => this.refuse(follower, 'expired'),
      Math.min(follower.verified.expiresAt - Date.now(), 2 ** 31 - 1),
    );
    socket.on('disconnect', () => {
      clearTimeout(expiry);
      hall.followers.remove(follower);
      if (hall.followers.size > 0) return;
      hall.close();
      if (this.halls.get(follower.conference) === hall) this.halls.delete(follower.conference);
    });
    answerMessages(this, hall, follower);
    if (asked !== undefined) void answerHandshake(this, hall, follower, asked);
  }

  private hallOf({ conference, feed }: Follower): Hall {
    const known = this.halls.get(conference);
    // A replica that was evicted and loaded again is another object: whoever comes now gets a hall on the new one.
    if (known && known.feed === feed) return known;
    const hall: Hall = new Hall(feed, {
      stats: this.counted,
      pressure: () => this.factor,
      onReload: () => this.resumeAll(hall),
      onAccess: () => recheck(this, hall),
      onLate: (cls, late) => this.counted.late(cls, late),
    });
    this.halls.set(conference, hall);
    return hall;
  }

  /** Another epoch: every copy is replaced, walls and desks first, in slices. */
  private resumeAll(hall: Hall): void {
    const waiting = [...hall.followers.all()];
    const slice = () => {
      for (const follower of waiting.splice(0, RESUME_SLICE))
        for (const following of follower.channels.values()) this.replace(hall, following);
      if (waiting.length > 0) setImmediate(slice);
    };
    slice();
  }

  private replace(hall: Hall, following: Following): void {
    const resumed = hall.feed.resume(following.channel, null);
    if (!('frame' in resumed)) return;
    // Who does not drain learns it from a beacon that no longer names the channel, and asks.
    following.to = null;
    if (!following.follower.outlet.drains) return;
    hall.write(following.follower, resumed.frame);
    following.to = resumed.frame.to;
    this.counted.resumes.snapshot += 1;
  }

  private beacons(cls: ClientClass): void {
    for (const hall of this.halls.values()) hall.beacon(cls);
  }

  private sweep(): void {
    const late = this.delay.percentile(99) / 1e6;
    this.delay.reset();
    this.factor = late > 200 ? 4 : late > 80 ? 2 : 1;
    const now = performance.now();
    for (const hall of this.halls.values()) for (const follower of hall.followers.all()) this.look(hall, follower, now);
  }

  /** A slow socket goes on by version once it drains; one that never does is closed. */
  private look(hall: Hall, follower: Follower, now: number): void {
    if (follower.slowSince === null) return;
    if (follower.outlet.drains) {
      follower.slowSince = null;
      hall.catchUp(follower);
    } else if (now - follower.slowSince > SLOW_MS) {
      this.counted.closedSlow += 1;
      this.counted.refuse(new Refusal('too-slow').code);
      follower.socket.disconnect(true);
    }
  }

  private toConnectError({ request, handshake }: Socket, error: unknown): Error {
    const refusal = error instanceof Refusal ? error : new Refusal('internal');
    if (!(error instanceof Refusal)) this.ports.logger.error({ err: error }, 'a handshake failed');
    const { channels } = (handshake.auth ?? {}) as { readonly channels?: unknown };
    this.counted.refuseConnect(refusal.code, classOf(request), channels);
    return Object.assign(new Error(refusal.message), { data: refusal.body() });
  }
}
