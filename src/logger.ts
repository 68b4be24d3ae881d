import pino, { type Logger } from 'pino';
import type { Config } from './config.js';

/** JSON lines; readable ones on a terminal. Whatever could carry a token is redacted. */
export function createLogger({ LOG_LEVEL, ROLE }: Config): Logger {
  const redact = {
    paths: ['*.token', '*.authorization', 'req.headers.authorization', '*.password', '*.connectionString'],
    censor: '[redacted]',
  };
  const options = { level: LOG_LEVEL, base: { role: ROLE }, redact };
  return process.stdout.isTTY
    ? pino(
        options,
        pino.transport({ target: 'pino-pretty', options: { ignore: 'pid,hostname,role', translateTime: 'HH:MM:ss' } }),
      )
    : pino(options);
}
