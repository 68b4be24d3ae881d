import type { Logger } from '#libs/postgres';

/** For tests in which log lines prove nothing. */
export const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
