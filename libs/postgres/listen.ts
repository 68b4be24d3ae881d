import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import type { Logger } from './logger.js';
import { quoteIdentifier } from './sql.js';

export interface ListenOptions {
  readonly url: string;
  readonly channel: string;
  /** A hint that there is something to read; several may come for one change, and none while the connection is down. */
  readonly onNotify: (payload: string) => void;
  /** Listening (again): what happened before is not notified, so read now. */
  readonly onReady: () => void;
  readonly logger: Logger;
  readonly applicationName?: string;
  /** How often the way through the server is tried. Default 10 000. */
  readonly canaryMs?: number;
  /** First and longest pause before connecting again. Default 100 and 5 000. */
  readonly backoffMs?: readonly [first: number, longest: number];
}

export interface Listener {
  close(): Promise<void>;
}

/** Silence longer than this (or than the canary's period) after a canary: the connection is dead, though nobody said so. */
const LONGEST_SILENCE_MS = 5_000;

/**
 * Listens on a connection of its own (a pool would hand it to others) and connects again for ever, until closed. Needs a
 * direct connection: a pooler in transaction mode forgets LISTEN.
 */
export function listen(options: ListenOptions): Listener {
  const ending = new AbortController();
  const ended = keepListening(options, ending.signal);
  return {
    close() {
      ending.abort();
      return ended;
    },
  };
}

async function keepListening(options: ListenOptions, ending: AbortSignal): Promise<void> {
  const [first, longest] = options.backoffMs ?? [100, 5_000];
  let pause = first;
  while (!ending.aborted) {
    try {
      await listenOnce(options, ending, () => {
        pause = first;
        guarded(options, options.onReady);
      });
    } catch (error) {
      if (ending.aborted) return;
      options.logger.warn({ err: error, channel: options.channel }, 'the listening connection broke');
    }
    // Spread out: a restart of the server breaks every process's connection at once.
    await delay(pause * (0.5 + Math.random() / 2), undefined, { signal: ending }).catch(() => undefined);
    pause = Math.min(pause * 2, longest);
  }
}

/** Returns when asked to end; throws when the connection breaks or falls silent. */
async function listenOnce(options: ListenOptions, ending: AbortSignal, onReady: () => void): Promise<void> {
  const canaryMs = options.canaryMs ?? 10_000;
  const answerMs = Math.min(LONGEST_SILENCE_MS, canaryMs);
  const canary = `canary_${randomBytes(8).toString('hex')}`;
  const client = new Client({
    connectionString: options.url,
    application_name: options.applicationName ?? 'hallway listen',
    connectionTimeoutMillis: 5_000,
    query_timeout: answerMs,
    keepAlive: true,
  });
  const broken = new Promise<never>((_, reject) => {
    client.on('error', reject);
    client.on('end', () => reject(new Error('the connection ended')));
  });
  broken.catch(() => undefined); // also watched below; it may break before
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  ending.addEventListener('abort', end);
  let heard: () => void = () => undefined;
  client.on('notification', ({ channel, payload }) => {
    if (channel === canary) heard();
    else guarded(options, () => options.onNotify(payload ?? ''));
  });
  try {
    await client.connect();
    await client.query(`listen ${quoteIdentifier(options.channel)}; listen ${canary}`);
    if (!ending.aborted) onReady();
    while (!ending.aborted) {
      const pause = delay(canaryMs, undefined, { signal: ending }).catch(() => undefined);
      await Promise.race([pause, broken]);
      if (ending.aborted) return;
      const sung = new Promise<void>((resolve) => {
        heard = resolve;
      });
      await Promise.race([client.query(`notify ${canary}`), broken, ended]);
      await Promise.race([sung, broken, ended, silence(answerMs, ending)]);
    }
  } finally {
    ending.removeEventListener('abort', end);
    // A half-dead connection may never confirm its end; nothing waits for it.
    client.end().catch(() => undefined);
  }
}

async function silence(ms: number, ending: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal: ending, ref: false }).catch(() => undefined);
  if (!ending.aborted) throw new Error('notifications do not come through');
}

function guarded(options: ListenOptions, call: () => void): void {
  try {
    call();
  } catch (error) {
    options.logger.error({ err: error, channel: options.channel }, 'a listener threw');
  }
}
