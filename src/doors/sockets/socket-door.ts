/** The socket.io door: admission, handshake, subscriptions, commands, closing. What is written to whom and when is in hall.ts. */
import type { Server as HttpServer, IncomingMessage } from 'node:http';
import type { Socket as NetSocket } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Server, type Socket } from 'socket.io';
import type { Feed } from '#libs/feed';
import type { Logger } from '#libs/postgres';
import { type ClientClass, Refusal, type RefusalName } from '#libs/protocol';
import type { CommandDoor } from '../commands/command-door.js';
import type { Tokens } from '../tokens/tokens.js';
import { Admission, type AdmissionLimits, DEFAULT_LIMITS } from './admission.js';
import { SocketCounts } from './counts.js';
import type { Follower } from './follower.js';
import { BEACON_MS, Hall } from './hall.js';
import { CLASSES, classOf, connectError, enter, forgetHandshake, ticketOf, websocketOnly } from './handshake.js';
import { answerHandshake, answerMessages } from './messages.js';
import { ConnectionClosed } from './open-until-closed.js';
import { recheck } from './recheck.js';
import { ResumeBudget } from './resume-budget.js';
import { watchTokens } from './token-ends.js';
import { lookAfter, replaceAll, sayDrain } from './upkeep.js';
import { corkForATurn, fastPathProblem, packetOf } from './writing/fan-out.js';
import { PRIORITY, Slices } from './writing/slices.js';
import { Unread } from './writing/unread.js';

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
  /** Large packets that wait for clients to read, each once. */
  readonly unreadBytes: number;
  /** Final answers to returning clients. */
  readonly resumes: Readonly<Record<'changes' | 'snapshot' | 'current' | 'parted' | 'ahead' | 'refused', number>>;
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

const SWEEP_MS = 250;
export const createSocketDoor = (ports: SocketDoorPorts): SocketDoor => new Door(ports);

export class Door implements SocketDoor {
  readonly halls = new Map<string, Hall>();
  readonly counted: SocketCounts;
  readonly slices: Slices;
  readonly resumes = new ResumeBudget();
  readonly unread = new Unread();
  readonly admission: Admission;
  private readonly delay = monitorEventLoopDelay({ resolution: 10 });
  private readonly timers: NodeJS.Timeout[] = [];
  private readonly unobserve: () => void;
  private readonly unwatch: () => void;
  private io: Server | undefined;
  draining = false;
  private factor = 1;
  private readonly spread: Record<ClientClass, number> = { screen: 0, desk: 0, phone: 0 };

  constructor(readonly ports: SocketDoorPorts) {
    this.admission = new Admission(ports.limits ?? DEFAULT_LIMITS);
    this.counted = new SocketCounts(ports.logger);
    this.slices = new Slices(ports.logger);
    this.unobserve = this.counted.observe();
    this.unwatch = watchTokens(this, ports.tokens);
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
      enter(this, socket).then(
        () => {
          (socket.data as { follower: Follower }).follower.writer.cork();
          next();
        },
        (error: unknown) => {
          if (error instanceof ConnectionClosed) {
            this.counted.abandoned += 1;
            next(error); // It is not told to anybody; socket.io forgets the socket.
            return;
          }
          next(connectError(this, socket, error));
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
    const sockets = this.countSockets();
    const { frames, skipped, closedSlow, abandoned, resumes, refused } = this.counted;
    const counts = { frames, skipped, closedSlow, abandoned, resumes: { ...resumes }, refused: { ...refused } };
    return { sockets, unreadBytes: this.unread.bytes, slowPath: fastPathProblem(), ...counts };
  }

  async drain(withinMs: number): Promise<void> {
    this.draining = true;
    for (const hall of this.halls.values()) sayDrain(this, hall, withinMs);
    const end = performance.now() + withinMs;
    while (performance.now() < end && [...this.halls.values()].some(({ followers }) => followers.size > 0))
      await new Promise((resolve) => setTimeout(resolve, 50));
  }

  async close(): Promise<void> {
    this.draining = true;
    this.unobserve();
    this.unwatch();
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
    follower.writer.end(packetOf('refused', JSON.stringify(new Refusal(name).body())));
    // Its goodbye leaves first; a transport that takes nothing is closed all the same.
    setTimeout(() => follower.socket.disconnect(true), 50);
  }

  /** Only overload is refused here: a client learns nothing but "websocket error" from it, and tries again. */
  private admits(request: IncomingMessage): boolean {
    const cls = classOf(request);
    const { socket } = request;
    const proven = this.ports.tokens.ticketClass(ticketOf(request));
    const admitted = !this.draining && this.admission.admit(socket, proven, performance.now());
    if (admitted) {
      socket.once('close', () => this.admission.leave(socket));
      // The upgrade and engine.io's greeting. Not of a refusal, after which engine.io destroys the socket with what is corked.
      corkForATurn(socket);
    } else this.counted.turnedAway.upgrade[cls] += 1;
    return admitted;
  }

  private entered(socket: Socket): void {
    const { follower, asked, ticket } = socket.data as { follower: Follower; asked: unknown; ticket: string };
    const hall = this.hallOf(follower);
    hall.followers.add(follower);
    socket.on('disconnect', () => {
      hall.followers.remove(follower);
      hall.slow.delete(follower);
      if (hall.followers.size > 0) return;
      hall.close();
      if (this.halls.get(follower.conference) === hall) this.halls.delete(follower.conference);
    });
    answerMessages(this, hall, follower);
    hall.send(follower, packetOf('ticket', JSON.stringify({ ticket })));
    if (asked !== undefined) answerHandshake(this, hall, follower, asked);
    forgetHandshake(socket);
  }

  private hallOf({ conference, feed }: Follower): Hall {
    const known = this.halls.get(conference);
    // A replica that was evicted and loaded again is another object: whoever comes now gets a hall on the new one.
    if (known && known.feed === feed) return known;
    const hall: Hall = new Hall(feed, {
      stats: this.counted,
      slices: this.slices,
      pressure: () => this.factor,
      spread: (cls) => this.spread[cls],
      onReload: () => replaceAll(this, hall),
      onAccess: () => recheck(this, hall),
      onLate: (cls, late) => this.counted.late(cls, late),
    });
    this.halls.set(conference, hall);
    return hall;
  }

  private beacons(cls: ClientClass): void {
    for (const hall of this.halls.values()) hall.beacon(cls);
  }

  private sweep(): void {
    const late = this.delay.percentile(99) / 1e6;
    this.delay.reset();
    this.factor = late > 200 ? 4 : late > 80 ? 2 : 1;
    const sockets = this.countSockets();
    for (const cls of CLASSES) this.spread[cls] = this.admission.spread(cls, sockets[cls]);
    const now = performance.now();
    for (const connection of this.admission.late<NetSocket>(now)) connection.destroy();
    for (const hall of this.halls.values())
      if (hall.slow.size > 0)
        this.slices.run(PRIORITY.phone, [...hall.slow], (follower) => lookAfter(this, hall, follower, now));
  }

  private countSockets(): Record<ClientClass, number> {
    const sockets = { screen: 0, desk: 0, phone: 0 };
    for (const hall of this.halls.values()) for (const cls of CLASSES) sockets[cls] += hall.followers.of(cls).size;
    return sockets;
  }
}
