/** I11: what Node's HTTP parser refuses by itself has a number of ours, too, and no word of what was sent. */
import { type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { Refusal } from '#libs/protocol';
import { problemOf } from './problem.js';
import { refuseUnread } from './unread.js';

/** Milliseconds in which a client takes the last answer of its connection. */
const FLUSH_WITHIN_MS = 1_000;

export function numberParserErrors(server: Server): void {
  // Checked with the address: Node's own answer has no number.
  Object.assign(server, { requireHostHeader: false });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => refuse(error, socket));
  server.on('checkExpectation', (request, response) =>
    refuseUnread(request, response, new Refusal('malformed', 'nothing but 100-continue can be expected here'), 417),
  );
  // A body is asked for once its sender may send it; Node would ask for any.
  server.on('checkContinue', (request, response) => server.emit('request', request, response));
}

function refuse(error: NodeJS.ErrnoException, socket: Socket): void {
  const { _httpMessage: answer } = socket as { readonly _httpMessage?: ServerResponse };
  if (!socket.writable || error.code === 'ECONNRESET' || answer?.headersSent) return void socket.destroy();
  const [status, refusal] = refusalOf(error.code);
  const text = JSON.stringify(problemOf(refusal, status));
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'content-type: application/problem+json',
    `content-length: ${Buffer.byteLength(text)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${text}`, () => socket.destroy());
  setTimeout(() => socket.destroy(), FLUSH_WITHIN_MS).unref();
}

function refusalOf(code: string | undefined): readonly [status: number, Refusal] {
  if (code === 'HPE_HEADER_OVERFLOW') return [431, new Refusal('too-large', 'address and headers are too long')];
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') return [413, new Refusal('too-large')];
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return [408, new Refusal('malformed', 'the request did not come in time')];
  return [400, new Refusal('malformed', 'this is not HTTP/1.1')];
}
