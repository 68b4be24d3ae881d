/** How a socket comes in: checked before it costs much, refused with a number, and held no longer than it lasts. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'socket.io';
import { defineLimit } from '#libs/limits';
import { type ClientClass, handshakeSchema, parseBounded, Refusal } from '#libs/protocol';
import { mayConnect } from '../../conference/access.js';
import { stateOf } from '../../conference/state.js';
import { classOfRole } from '../tokens/tickets.js';
import type { Follower } from './follower.js';
import { ConnectionClosed, openUntilClosed } from './open-until-closed.js';
import { bucketOf, RESUMES_PER_SOCKET } from './resume-budget.js';
import type { Door } from './socket-door.js';
import { type Conn, SocketWriter } from './writing/fan-out.js';

/** Messages of one socket a second, and at once. */
export const MESSAGES_PER_SOCKET = {
  perSecond: defineLimit({ name: 'sockets.messages', value: 50, unit: 'per second', beyond: 'refused with 106' }),
  burst: 100,
};
export const CLASSES: readonly ClientClass[] = ['screen', 'desk', 'phone'];

/** Connections that have sent a CONNECT: a second one would hold a second conference. */
const connecting = new WeakSet<object>();

/** Replaces engine.io's error body with one of our numbered refusals (I11). */
export function websocketOnly(request: IncomingMessage, response: ServerResponse, next: () => void): void {
  if (request.headers.upgrade) {
    next();
    return;
  }
  const refusal = new Refusal('unsupported-protocol', 'the feed is served over websockets only');
  response.writeHead(refusal.httpStatus, { 'content-type': 'application/problem+json' });
  response.end(JSON.stringify({ title: refusal.refusal, status: refusal.httpStatus, ...refusal.body() }));
}

/** engine.io has read it; to read it again was a twentieth of a join. */
const queryOf = (request: IncomingMessage) =>
  (request as { readonly _query?: { readonly class?: unknown; readonly ticket?: unknown } })._query;

/** What a client calls itself: how often it is written to. */
export function classOf(request: IncomingMessage): ClientClass {
  const asked = queryOf(request)?.class;
  return CLASSES.find((known) => known === asked) ?? 'phone';
}

export const ticketOf = (request: IncomingMessage): unknown => queryOf(request)?.ticket;

/** Everything that a connection needs, in `socket.data`. @throws Refusal, ConnectionClosed */
export async function enter(door: Door, socket: Socket): Promise<void> {
  if (connecting.has(socket.conn)) throw new Refusal('malformed', 'one CONNECT a connection');
  connecting.add(socket.conn);
  if (door.draining) throw new Refusal('draining', undefined, 1_000);
  const auth: unknown = socket.handshake.auth;
  if ((auth as { protocol?: unknown } | null)?.protocol !== 1) throw new Refusal('unsupported-protocol');
  const { conference, class: cls, token, channels: asked } = parseBounded(handshakeSchema, auth);
  const verified = await door.ports.tokens.verify(token);
  if (verified.identity.conference !== '*' && verified.identity.conference !== conference)
    throw new Refusal('wrong-conference');
  const place = classOfRole(verified.identity.role);
  if (socket.conn.readyState !== 'open') throw new ConnectionClosed();
  if (!door.admission.verify(socket.request.socket, place)) throw new Refusal('busy', undefined, 2_000);
  const feed = await openUntilClosed(door.ports.feed, conference, socket.conn);
  const allowed = mayConnect(verified.identity, stateOf(feed));
  if (allowed !== 'ok') throw allowed;
  const follower: Follower = {
    socket,
    writer: new SocketWriter(socket.conn as unknown as Conn, door.unread, verified.identity.actor),
    cls,
    verified,
    conference,
    feed,
    channels: new Map(),
    set: null,
    messages: bucketOf(MESSAGES_PER_SOCKET),
    resumes: bucketOf(RESUMES_PER_SOCKET),
    excess: 0,
    inFlight: 0,
    leaving: false,
    slowSince: null,
    ownChange: -1,
    ownAt: Number.NEGATIVE_INFINITY,
  };
  door.counted.lookAtPath();
  socket.data = { follower, asked, ticket: door.ports.tokens.ticket(verified.identity.role) };
}

/** What the client reads of a failed handshake. */
export function connectError(door: Door, { request, handshake }: Socket, error: unknown): Error {
  const refusal = error instanceof Refusal ? error : new Refusal('internal');
  if (!(error instanceof Refusal)) door.ports.logger.error({ err: error }, 'a handshake failed');
  const { channels } = (handshake.auth ?? {}) as { readonly channels?: unknown };
  door.counted.refuseConnect(refusal.code, classOf(request), channels);
  return Object.assign(new Error(refusal.message), { data: refusal.body() });
}

const NOTHING = Object.freeze({});

/** The request with its headers and the token would be kept for as long as the socket lives: some kilobytes each. */
export function forgetHandshake(socket: Socket): void {
  Object.assign(socket, { handshake: NOTHING, data: NOTHING });
  Object.assign(socket.conn, { request: undefined });
}
