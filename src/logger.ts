import { isSpanContextValid, trace } from '@opentelemetry/api';
import pino, { type DestinationStream, type Logger } from 'pino';
import { defineLimit } from '#libs/limits';
import { isDataError, sqlState } from '#libs/postgres';
import type { Config } from './config.js';

const MAX_TEXT = defineLimit({
  name: 'logs.text',
  value: 2_000,
  unit: 'characters',
  beyond: 'the text of the line is cut',
});
/** Characters of lines that wait to be written; beyond, lines are lost. */
const MAX_UNWRITTEN = defineLimit({
  name: 'logs.unwritten',
  value: 1_000_000,
  unit: 'characters',
  beyond: 'further lines are dropped until the output takes them',
});
/** Of an error, its cause and the cause's. */
const MAX_DEPTH = defineLimit({ name: 'logs.causes', value: 5, unit: 'levels', beyond: 'deeper causes are left out' });

/**
 * JSON lines with the ids of the trace they belong to; readable ones on a terminal. Whatever could carry a token is redacted, and of an
 * error only what we wrote ourselves is told.
 * @param destination instead of standard output
 */
export function createLogger({ LOG_LEVEL, ROLE }: Config, destination?: DestinationStream): Logger {
  const redact = {
    paths: ['*.token', '*.authorization', 'req.headers.authorization', '*.password', '*.connectionString'],
    censor: '[redacted]',
  };
  const serializers = { err: (error: unknown) => errorLine(error) };
  const options = { level: LOG_LEVEL, base: { role: ROLE }, redact, serializers, mixin: traceIds };
  if (destination) return pino(options, destination);
  return process.stdout.isTTY
    ? pino(
        options,
        pino.transport({ target: 'pino-pretty', options: { ignore: 'pid,hostname,role', translateTime: 'HH:MM:ss' } }),
      )
    : pino(options, standardOutput());
}

/** Lines that a full disk, or a reader that has gone, does not take are lost: neither may end the process. */
function standardOutput(): DestinationStream {
  const out = pino.destination({ fd: 1, sync: true, maxLength: MAX_UNWRITTEN });
  out.on('error', () => undefined);
  return out;
}

/**
 * Type, message, code, stack and cause, nothing else: pino's own serializer copies every property, and those of a database error quote
 * rows ("Failing row contains …"), parameters and statements. Where the message itself quotes what somebody wrote it is left out, too.
 */
function errorLine(error: unknown, depth = 1): object {
  // What was thrown and is no error may be anything, a body for instance.
  if (!isError(error)) return { type: typeof error };
  const { name, stack, cause } = error;
  const message = quotesInput(error) ? 'left out: it may quote what somebody wrote' : error.message;
  const code = sqlState(error) ?? (error as { code?: unknown }).code;
  const errors = (error as { errors?: unknown }).errors;
  const goesOn = depth < MAX_DEPTH;
  return {
    type: name.slice(0, MAX_TEXT),
    message: message.slice(0, MAX_TEXT),
    ...(typeof code === 'string' ? { code: code.slice(0, MAX_TEXT) } : {}),
    stack: framesOf(stack, error.message),
    ...(cause === undefined || !goesOn ? {} : { cause: errorLine(cause, depth + 1) }),
    ...(Array.isArray(errors) && goesOn ? { errors: errors.slice(0, 5).map((one) => errorLine(one, depth + 1)) } : {}),
  };
}

/** Not `instanceof`: errors come out of other realms, too. */
const isError = (thrown: unknown): thrown is Error =>
  typeof thrown === 'object' &&
  thrown !== null &&
  typeof (thrown as Partial<Error>).name === 'string' &&
  typeof (thrown as Partial<Error>).message === 'string';

/** `invalid input syntax for type integer: "…"`, in the server's language; `Unexpected token … "…" is not valid JSON`. */
const quotesInput = (error: Error): boolean => isDataError(error) || error.name === 'SyntaxError';

/** A stack begins with the message, line breaks and all. */
function framesOf(stack: string | undefined, message: string): string {
  const text = stack ?? '';
  const begin = text.indexOf(message);
  const frames = begin < 0 ? text : text.slice(begin + message.length);
  const lines = frames.split('\n').filter((line) => /^ {4}at /.test(line));
  return lines.join('\n').slice(0, MAX_TEXT);
}

function traceIds(): object {
  const span = trace.getActiveSpan()?.spanContext();
  return span && isSpanContextValid(span) ? { trace_id: span.traceId, span_id: span.spanId } : {};
}

/** SIGUSR2 makes a running process talkative, and quiet again: nobody restarts what he wants to look at. */
export function talkOnSignal(logger: Logger): void {
  const configured = logger.level;
  process.on('SIGUSR2', () => {
    logger.level = logger.level === configured ? 'debug' : configured;
    logger[logger.isLevelEnabled('info') ? 'info' : 'error'](
      { now: logger.level },
      'the level of the log was switched',
    );
  });
}
