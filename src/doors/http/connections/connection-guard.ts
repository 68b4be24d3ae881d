/**
 * Stands before everything that answers HTTP: one request of a connection is rendered at a time, few may wait, and what is asked or left
 * unread is bounded per connection, person and process. What is refused here costs neither a span nor a route nor a body.
 */

import { type IncomingMessage, Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { LRUCache } from 'lru-cache';
import { defineLimit } from '#libs/limits';
import { Refusal } from '#libs/protocol';
import { TokenBucket } from '../../sockets/admission.js';
import { requestOver } from '../early-judgement.js';
import { problemOf } from '../problem.js';
import { HTTP_LIMITS, type HttpLimits } from './limits.js';
import { type Answer, bytesTaken, UnreadAnswers } from './unread-answers.js';

/** Decides by what is known before the body is read: overload, a stop. null: go on. */
export type EarlyRefusal = (request: IncomingMessage) => Refusal | null;

export interface GuardCounts {
  /** Connections closed for too many requests at once. */
  readonly pipelined: number;
  /** Answers cut off, because a client did not read them. */
  readonly cut: Readonly<Record<'slow' | 'unread', number>>;
  readonly refused: number;
  readonly unreadBytes: number;
  readonly inProgress: number;
}

interface Waiting {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

interface Connection {
  isBusy: boolean;
  isCut: boolean;
  readonly waiting: Waiting[];
}

/** Of the class: what instruments it patches it there. */
const emitOf = (server: Server, event: string | symbol, ...given: unknown[]): boolean =>
  (Server.prototype.emit as (this: Server, event: string | symbol, ...given: unknown[]) => boolean).call(
    server,
    event,
    ...given,
  );

const MAX_PERSONS = defineLimit({
  name: 'http.persons',
  value: 20_000,
  unit: 'entries',
  beyond: 'the oldest count is forgotten',
});
/** Requests that begin in one turn of the event loop, if there is time. */
const BEGUN_PER_TURN = 8;
/** Enough of a token to tell it from others; its signature is at the end. */
const PERSON_CHARACTERS = 32;

export class ConnectionGuard {
  private readonly connections = new WeakMap<Socket, Connection>();
  private readonly answers: UnreadAnswers;
  private readonly readsOfPerson = new Map<string | null, number>();
  private readonly ratesOfPersons = new LRUCache<string, TokenBucket>({ max: MAX_PERSONS });
  private readonly rate: TokenBucket;
  private readonly queue: Waiting[] = [];
  private readonly cut = { slow: 0, unread: 0 };
  private pipelined = 0;
  private refused = 0;
  private isScheduled = false;
  /** Milliseconds spent on beginnings in this turn of the loop. */
  private spentMs = 0;
  private early: EarlyRefusal = () => null;
  private isFirst: (request: IncomingMessage) => boolean = () => false;

  constructor(
    private readonly server: Server,
    private readonly limits: HttpLimits = HTTP_LIMITS,
  ) {
    this.answers = new UnreadAnswers(limits, (why) => {
      this.cut[why] += 1;
    });
    this.rate = new TokenBucket(limits.reads.perSecond, limits.reads.burst);
    const sweep = setInterval(() => this.answers.sweep(performance.now()), limits.sweepMs);
    sweep.unref();
    server.once('close', () => clearInterval(sweep));
    // Before listeners and before what instruments them: those patch the class, and see what is let through.
    server.emit = (event: string | symbol, ...given: unknown[]): boolean => {
      if (event !== 'request') return emitOf(server, event, ...given);
      this.take({ request: given[0] as IncomingMessage, response: given[1] as ServerResponse });
      return true;
    };
  }

  /** Asked of each request before anything else is done about it. */
  refuseBy(early: EarlyRefusal): void {
    this.early = early;
  }

  /** Those that wait for no turn: desks, which overtake whoever asks at the same time (D8). */
  letFirst(isFirst: (request: IncomingMessage) => boolean): void {
    this.isFirst = isFirst;
  }

  counts(): GuardCounts {
    const { pipelined, refused, answers } = this;
    return { pipelined, refused, cut: { ...this.cut }, unreadBytes: answers.bytes, inProgress: answers.size };
  }

  private take(asked: Waiting): void {
    const { socket } = asked.request;
    let connection = this.connections.get(socket);
    if (!connection) {
      connection = { isBusy: false, isCut: false, waiting: [] };
      this.connections.set(socket, connection);
    }
    if (connection.isCut) return;
    if (!connection.isBusy) {
      connection.isBusy = true;
      this.begin(asked);
    } else if (connection.waiting.length < this.limits.waitingPerConnection) connection.waiting.push(asked);
    else {
      connection.isCut = true;
      connection.waiting.length = 0;
      this.pipelined += 1;
      stopParsing(socket);
      socket.destroy();
    }
  }

  /** At once if this turn of the loop has time, else in a later one. */
  private begin(asked: Waiting): void {
    const { request } = asked;
    const hasTime = this.queue.length === 0 && this.spentMs < this.limits.sliceMs;
    // A refusal by load is cheaper than a place to wait, and it is told at once (D10).
    if (hasTime || this.early(request) !== null || this.isFirst(request)) this.handOver(asked);
    else this.queue.push(asked);
    this.schedule();
  }

  private schedule(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    const began = { at: 0 };
    // One by one: what a handler does after its first await runs before the next begins. As many in one turn of the loop as fit its slice.
    for (let place = 0; place < BEGUN_PER_TURN; place++)
      setImmediate(() => {
        if (place === 0) {
          this.spentMs = 0;
          began.at = performance.now();
        }
        const next = performance.now() - began.at < this.limits.sliceMs || place === 0 ? this.queue.shift() : undefined;
        if (next) this.handOver(next);
        if (place < BEGUN_PER_TURN - 1) return;
        this.isScheduled = false;
        if (this.queue.length > 0) this.schedule();
      });
  }

  private handOver({ request, response }: Waiting): void {
    const { socket } = request;
    if (socket.destroyed) {
      requestOver(request);
      return;
    }
    const began = performance.now();
    const answer: Answer = {
      socket,
      response,
      person: request.headers.authorization?.slice(-PERSON_CHARACTERS) ?? null,
      unread: 0,
      taken: bytesTaken(socket),
      since: began,
    };
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    const refusal = this.early(request) ?? this.tooMuch(answer.person, isRead, began);
    this.answers.add(answer);
    if (isRead) this.countReads(answer.person, 1);
    response.once('close', () => {
      this.answers.remove(answer);
      if (isRead) this.countReads(answer.person, -1);
      this.next(socket);
    });
    if (refusal) {
      this.refused += 1;
      sendEarly(response, refusal);
    } else {
      this.watchEnd(answer);
      emitOf(this.server, 'request', request, response);
    }
    this.spentMs += performance.now() - began;
  }

  private next(socket: Socket): void {
    const connection = this.connections.get(socket);
    if (!connection) return;
    const next = connection.waiting.shift();
    if (!next) connection.isBusy = false;
    // Behind those of other connections.
    else {
      this.queue.push(next);
      this.schedule();
    }
  }

  private tooMuch(person: string | null, isRead: boolean, now: number): Refusal | null {
    const { limits, answers } = this;
    if (answers.size >= limits.inProgress) return new Refusal('busy', undefined, 1_000);
    if (!isRead) return null;
    if (answers.bytes >= limits.unreadBytes) return new Refusal('busy', undefined, 1_000);
    const reads = this.readsOfPerson.get(person) ?? 0;
    if (person === null) {
      if (reads >= limits.anonymousReadsInProgress) return new Refusal('busy', undefined, 1_000);
    } else if (
      reads >= limits.readsInProgressPerPerson ||
      answers.of(person) >= limits.unreadBytesPerPerson ||
      !this.rateOf(person).take(now)
    )
      return new Refusal('rate-limited', undefined, 1_000);
    return this.rate.take(now) ? null : new Refusal('busy', undefined, 1_000);
  }

  private rateOf(person: string): TokenBucket {
    const known = this.ratesOfPersons.get(person);
    if (known) return known;
    const { perSecond, burst } = this.limits.readsPerPerson;
    const bucket = new TokenBucket(perSecond, burst);
    this.ratesOfPersons.set(person, bucket);
    return bucket;
  }

  private countReads(person: string | null, change: number): void {
    const reads = (this.readsOfPerson.get(person) ?? 0) + change;
    if (reads > 0) this.readsOfPerson.set(person, reads);
    else this.readsOfPerson.delete(person);
  }

  /** What waits once the answer is complete is counted at once; what is streamed, by the sweep. */
  private watchEnd(answer: Answer): void {
    const { response } = answer;
    const end = response.end as (...given: unknown[]) => ServerResponse;
    response.end = (...given: unknown[]) => {
      const ended = end.apply(response, given);
      this.answers.measure(answer);
      return ended;
    };
  }
}

function sendEarly(response: ServerResponse, refusal: Refusal): void {
  const body = JSON.stringify(problemOf(refusal));
  response.statusCode = refusal.httpStatus;
  response.setHeader('content-type', 'application/problem+json');
  response.setHeader('content-length', Buffer.byteLength(body));
  if (refusal.retryAfter !== undefined) response.setHeader('retry-after', Math.ceil(refusal.retryAfter / 1_000));
  response.end(body);
}

/**
 * What the parser has read already would be made into requests, a thousand of 64 kB, though nobody answers them any more. 2 is what it
 * takes for "the rest is not for you"; where its inside is another, they are made and dropped.
 */
function stopParsing(socket: Socket): void {
  const { parser } = socket as { parser?: { onIncoming?: unknown } | null };
  if (parser && typeof parser.onIncoming === 'function') parser.onIncoming = () => 2;
}
