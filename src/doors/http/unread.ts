/** Refusals of requests whose body is not read, or not to its end. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { defineLimit } from '#libs/limits';
import type { Refusal } from '#libs/protocol';
import { problemOf } from './problem.js';

const UNREAD_BYTES = defineLimit({
  name: 'http.unread-body.bytes',
  value: 1024 * 1024,
  unit: 'bytes',
  beyond: 'a refused body is not read further',
});
const UNREAD_MS = defineLimit({
  name: 'http.unread-body.time',
  value: 1_000,
  unit: 'ms',
  beyond: 'a refused body is not waited for any longer: the connection is closed',
});

/** The client sends its body only once it is asked to. */
export const isWaiting = ({ headers }: IncomingMessage): boolean => /^100-continue$/i.test(headers.expect ?? '');

/**
 * Answers at once. Most clients read an answer only once they have sent all: they may go on for a bounded while, for a connection that
 * is closed on them takes the answer with it.
 */
export function refuseUnread(
  request: IncomingMessage,
  response: ServerResponse,
  refusal: Refusal,
  status = refusal.httpStatus,
): void {
  if (!request.socket.writable) return;
  const text = JSON.stringify(problemOf(refusal, status));
  response.writeHead(status, {
    'content-type': 'application/problem+json',
    'content-length': Buffer.byteLength(text),
    ...(request.complete ? {} : { connection: 'close' }),
  });
  response.write(text);
  if (request.complete || isWaiting(request)) return void response.end();
  let size = 0;
  const take = (chunk: Buffer) => {
    size += chunk.length;
    // From here on the client waits, and has its answer.
    if (size > UNREAD_BYTES) request.off('data', take).pause();
  };
  const end = () => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(end, UNREAD_MS);
  request.on('data', take).once('end', end).once('close', end).resume();
}
