import { isSpanContextValid, trace } from '@opentelemetry/api';
import pino, { type Logger } from 'pino';
import type { Config } from './config.js';

/** JSON lines with the ids of the trace they belong to; readable ones on a terminal. Whatever could carry a token is redacted. */
export function createLogger({ LOG_LEVEL, ROLE }: Config): Logger {
  const redact = {
    paths: ['*.token', '*.authorization', 'req.headers.authorization', '*.password', '*.connectionString'],
    censor: '[redacted]',
  };
  const options = { level: LOG_LEVEL, base: { role: ROLE }, redact, mixin: traceIds };
  return process.stdout.isTTY
    ? pino(
        options,
        pino.transport({ target: 'pino-pretty', options: { ignore: 'pid,hostname,role', translateTime: 'HH:MM:ss' } }),
      )
    : pino(options);
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
