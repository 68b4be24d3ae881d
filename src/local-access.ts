/** Small files beside the embedded database, so that the command line on this machine finds the service and may use it. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Logger } from '#libs/postgres';
import type { Tokens } from './doors/tokens/tokens.js';

export const LOCAL_SERVICE = 'service.json';
export const LOCAL_TOKEN = 'organizer.token';

/** The token is renewed each day and lasts for three: a copy of it is of no use for long. */
export const LOCAL_TOKEN_SECONDS = 3 * 24 * 3_600;
export const RENEW_MS = 24 * 3_600_000;

const IDENTITY = { actor: 'local-organizer', role: 'organizer', conference: '*' } as const;

export interface LocalAccessParts {
  readonly dataDir: string;
  readonly url: string;
  readonly tokens: Pick<Tokens, 'issue' | 'verify' | 'onChange'>;
  readonly logger: Pick<Logger, 'warn'>;
  readonly renewMs?: number;
}

/**
 * Writes where the service is and a token for it, and keeps the token good for as long as the service runs: anew in time, and at once if
 * it was ended by a revocation, another key or a restore.
 * @returns takes both away
 */
export async function keepLocalAccess(parts: LocalAccessParts): Promise<() => void> {
  const { dataDir, url, tokens, logger, renewMs = RENEW_MS } = parts;
  let token = '';
  let closed = false;
  const renew = async () => {
    token = await tokens.issue(IDENTITY, LOCAL_TOKEN_SECONDS, { label: 'command line on this machine' });
    if (!closed) write(dataDir, LOCAL_TOKEN, token);
  };
  const warn = (err: unknown) => logger.warn({ err }, 'the local token could not be renewed; the old one stays');
  mkdirSync(dataDir, { recursive: true });
  write(dataDir, LOCAL_SERVICE, JSON.stringify({ url, pid: process.pid }));
  await renew();
  const timer = setInterval(() => void renew().catch(warn), renewMs).unref();
  const unwatch = tokens.onChange(() => {
    tokens.verify(token).catch(() => renew().catch(warn));
  });
  return () => {
    closed = true;
    clearInterval(timer);
    unwatch();
    for (const name of [LOCAL_SERVICE, LOCAL_TOKEN]) rmSync(path.join(dataDir, name), { force: true });
  };
}

/** Whole or not at all: a full disk, or a reader at this moment, must not meet half a token. */
function write(dataDir: string, name: string, text: string): void {
  const file = path.join(dataDir, name);
  writeFileSync(`${file}.partial`, text, { mode: 0o600 });
  renameSync(`${file}.partial`, file);
}
