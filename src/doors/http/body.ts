/** What happens before a request's route: its address is checked, then who may send a body, and only then is one read, up to what the route takes. */
import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import type { Request, Response } from 'express';
import type { Feed } from '#libs/feed';
import { defineLimit } from '#libs/limits';
import type { Logger } from '#libs/postgres';
import { decodeUtf8, Refusal } from '#libs/protocol';
import { capabilities } from '../../conference/capabilities.js';
import type { Role } from '../../conference/capability.js';
import type { Tokens } from '../tokens/tokens.js';
import { checkAddress } from './address.js';
import { identify } from './identify.js';
import { isWaiting, refuseUnread } from './unread.js';

const BODY_BYTES = defineLimit({
  name: 'http.body.bytes',
  value: 64 * 1024,
  unit: 'bytes',
  beyond: 'the request is refused with 205 and its connection closed; an import may have more',
});
/** The largest schedule seen of a real congress has 3 MB. */
const IMPORT_BYTES = defineLimit({
  name: 'http.import.bytes',
  value: 16 * 1024 * 1024,
  unit: 'bytes',
  beyond: 'the file is refused with 205 and its connection closed',
});
interface BodyRule {
  readonly last: string;
  readonly bytes: number;
  /** Absent: a token is not needed. */
  readonly by?: readonly Role[];
  /** What controllers get: the bytes, or the JSON in them. */
  readonly as: 'bytes' | 'json';
}

const SENDERS = [...new Set(capabilities.flatMap(({ commands }) => commands).flatMap(({ by }) => by))];
/** By the last part of the address of a POST under `/v1/conferences/:conference`. */
const RULES: readonly BodyRule[] = [
  { last: 'imports', bytes: IMPORT_BYTES, by: ['organizer'], as: 'bytes' },
  { last: 'events', bytes: BODY_BYTES, by: ['producer'], as: 'bytes' },
  { last: 'commands', bytes: BODY_BYTES, by: SENDERS, as: 'json' },
  { last: 'tokens', bytes: BODY_BYTES, by: ['organizer', 'operator'], as: 'json' },
  { last: 'tokens/revoke', bytes: BODY_BYTES, by: ['organizer'], as: 'json' },
  { last: 'keys', bytes: BODY_BYTES, by: ['organizer'], as: 'json' },
  { last: 'join', bytes: BODY_BYTES, as: 'json' },
];
const ROUTE = /^\/v1\/conferences\/([^/?]+)\/([a-z]+(?:\/revoke)?)\/?(?:\?|$)/i;
const JSON_TYPE = /^application\/json\s*(;\s*charset="?utf-?8"?\s*)?(;|$)/i;

export interface BodyPorts {
  readonly tokens: Tokens;
  readonly feed: Pick<Feed, 'open'>;
  readonly logger: Logger;
}

export function admitRequests(ports: BodyPorts) {
  return (request: Request, response: Response, next: () => void): void => {
    admit(ports, request, response).then(next, (error: unknown) => {
      const isKnown = error instanceof Refusal;
      if (!isKnown) ports.logger.error({ err: error }, 'reading a request failed');
      refuseUnread(request, response, isKnown ? error : new Refusal('internal'));
    });
  };
}

async function admit(ports: BodyPorts, request: Request, response: Response): Promise<void> {
  checkAddress(request);
  if (request.headers.host === undefined && request.httpVersion !== '1.0')
    throw new Refusal('malformed', 'the header host is missing');
  const [, conference = '', last] = ROUTE.exec(request.url) ?? [];
  const rule = request.method === 'POST' ? RULES.find((one) => one.last === last?.toLowerCase()) : undefined;
  if (rule?.by) {
    const { role } = await identify(ports, request, decodeURIComponent(conference));
    if (!rule.by.includes(role)) throw new Refusal('forbidden', `this needs the role ${rule.by.join(' or ')}`);
  }
  const { headers } = request;
  if (!('transfer-encoding' in headers) && !Number(headers['content-length'])) return;
  const limit = rule?.bytes ?? BODY_BYTES;
  if (Number(headers['content-length']) > limit) throw new Refusal('too-large');
  if (isWaiting(request)) response.writeContinue();
  const bytes = await unpack(await collect(request, limit), headers['content-encoding'], limit);
  if (!rule) return;
  if (rule.as === 'bytes') request.body = bytes;
  else if (JSON_TYPE.test(headers['content-type'] ?? '')) request.body = parse(bytes);
}

function collect(request: IncomingMessage, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  return new Promise((resolve, reject) => {
    const onData = (chunk: Buffer) => {
      size += chunk.length;
      chunks.push(chunk);
      if (size <= limit) return;
      request.pause().off('data', onData);
      chunks.length = 0;
      reject(new Refusal('too-large'));
    };
    request.on('data', onData);
    request.once('end', () => resolve(Buffer.concat(chunks)));
    request.once('error', () => reject(new Refusal('malformed', 'the body broke off')));
    request.once('close', () => reject(new Refusal('malformed', 'the body broke off')));
  });
}

const unzip = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.unzip);
const unbrotli = promisify<Buffer, zlib.BrotliOptions, Buffer>(zlib.brotliDecompress);

async function unpack(bytes: Buffer, encoding: string | undefined, limit: number): Promise<Buffer> {
  if (encoding === undefined || encoding === 'identity') return bytes;
  const by = encoding === 'br' ? unbrotli : encoding === 'gzip' || encoding === 'deflate' ? unzip : undefined;
  if (!by) throw new Refusal('malformed', 'this content-encoding is not known here');
  try {
    return await by(bytes, { maxOutputLength: limit });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw new Refusal('too-large');
    throw new Refusal('malformed', 'the body cannot be unpacked');
  }
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(decodeUtf8(bytes));
  } catch {
    throw new Refusal('malformed', 'the body is not JSON in UTF-8');
  }
}
