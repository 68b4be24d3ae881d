/** A refusal by load before everything else (D10): neither the application nor the request's body nor a span is touched for it. */
import type { IncomingMessage, OutgoingHttpHeaders, RequestListener } from 'node:http';
import type { CommandDoor } from '../commands/command-door.js';
import { laneOf } from '../commands/lane-of.js';
import type { Tokens } from '../tokens/tokens.js';
import { judgeBy, refusalByLoad, requestOver } from './early-judgement.js';
import { problemOf } from './problem.js';

const COMMANDS = /^\/v1\/conferences\/([a-z0-9-]{1,64})\/commands\/?(?:\?|$)/;
const BEARER = /^Bearer ([\w.-]+)$/;

interface TurnAwayPorts {
  readonly tokens: Pick<Tokens, 'known'>;
  readonly commands: Pick<CommandDoor, 'announce'>;
}

/** A command of somebody who moderates or organizes, by a token that is known here. */
export function isFromDesk({ method, url = '', headers }: IncomingMessage, tokens: TurnAwayPorts['tokens']): boolean {
  if (method !== 'POST' || !COMMANDS.test(url)) return false;
  const token = BEARER.exec(headers.authorization ?? '')?.[1];
  const verified = token ? tokens.known(token) : undefined;
  return verified !== undefined && laneOf(verified.identity) === 'interactive';
}

/** In front of the application. */
export function turningAway(application: RequestListener, { tokens, commands }: TurnAwayPorts): RequestListener {
  judgeBy(({ method, url = '', headers }) => {
    if (method !== 'POST') return undefined;
    const conference = COMMANDS.exec(url)?.[1];
    const token = conference && BEARER.exec(headers.authorization ?? '')?.[1];
    // Whoever is not known yet goes the long way once.
    const verified = token ? tokens.known(token) : undefined;
    if (!conference || !verified) return undefined;
    const { identity } = verified;
    return identity.conference === conference ? commands.announce(identity, conference) : undefined;
  });
  return (request, response) => {
    const refusal = refusalByLoad(request);
    if (!refusal) {
      response.once('close', () => requestOver(request));
      application(request, response);
      return;
    }
    const { retryAfter } = refusal;
    const body = JSON.stringify(problemOf(refusal));
    const headers: OutgoingHttpHeaders = {
      'content-type': 'application/problem+json',
      'content-length': Buffer.byteLength(body),
      'x-content-type-options': 'nosniff',
      ...(retryAfter === undefined ? {} : { 'retry-after': String(Math.ceil(retryAfter / 1_000)) }),
    };
    response.writeHead(refusal.httpStatus, headers).end(body);
  };
}
