import { setTimeout as delay } from 'node:timers/promises';
import { context, ROOT_CONTEXT } from '@opentelemetry/api';
import type { Logger } from './logger.js';
import type { Queryable } from './pool.js';

export interface NotifierOptions {
  readonly database: Queryable;
  readonly channel: string;
  readonly logger: Logger;
  /** Least time between two notifications. Default 15. */
  readonly everyMs?: number;
  /** Two payloads that wait as one. Default: the last one counts. */
  readonly join?: (waiting: string, payload: string) => string;
}

export interface Notifier {
  /** Call it after the commit. At once when nothing was sent lately; else joined with others. */
  notify(payload?: string): void;
  /** Sends what is waiting, then stops. */
  close(): Promise<void>;
}

/**
 * Wakes listeners from a connection outside the transaction: NOTIFY takes a lock of the whole server at commit, which would
 * queue the writers. It is a hint; one that cannot be sent is dropped, because listeners also poll.
 */
export function notifier(options: NotifierOptions): Notifier {
  let waiting: string | undefined;
  let sending: Promise<void> | undefined;
  let isClosed = false;

  const send = async () => {
    while (waiting !== undefined) {
      const payload = waiting;
      waiting = undefined;
      try {
        await options.database.query('select pg_notify($1, $2)', [options.channel, payload]);
      } catch (error) {
        options.logger.debug({ err: error, channel: options.channel }, 'a notification was dropped');
      }
      if (!isClosed) await delay(options.everyMs ?? 15);
    }
    sending = undefined;
  };

  return {
    notify(payload = '') {
      if (isClosed) return;
      waiting = waiting === undefined || !options.join ? payload : options.join(waiting, payload);
      // In nobody's trace: under steady load it goes on long after whoever began it.
      sending ??= context.with(ROOT_CONTEXT, send);
    },
    async close() {
      isClosed = true;
      await sending;
    },
  };
}
