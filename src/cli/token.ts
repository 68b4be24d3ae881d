/** `hallway token`: a token or a one-time link for somebody. */
import { randomUUID } from 'node:crypto';
import { Refusal } from '#libs/protocol';
import type { Config } from '../config.js';
import { createTokens } from '../doors/tokens/tokens.js';
import { createLogger } from '../logger.js';
import { openDatabase } from '../store.js';
import { CliError } from './cli-error.js';
import { Service } from './service.js';

const SECONDS = 2 * 24 * 3_600;

export interface TokenOptions {
  readonly role: string;
  readonly conference: string;
  readonly session?: readonly string[];
  readonly actor?: string;
  readonly link?: boolean;
}

export async function makeToken(config: Config, options: TokenOptions): Promise<void> {
  const { role } = options;
  if (config.DATABASE_URL && !config.HALLWAY_TOKEN && (role === 'organizer' || role === 'operator'))
    return fromDatabase(config, role, options);
  const answer = (await new Service(config).postJson(
    `/v1/conferences/${encodeURIComponent(options.conference)}/tokens`,
    {
      role: options.role,
      link: options.link ?? false,
      ...(options.session ? { sessions: options.session } : {}),
      ...(options.actor ? { actor: options.actor } : {}),
    },
  )) as { readonly token?: string; readonly url?: string };
  console.log(answer.url ?? answer.token);
}

/** Whoever has the database has the keys that lie in it: a lost token locks nobody out. Good for two days. */
async function fromDatabase(config: Config, role: 'organizer' | 'operator', options: TokenOptions): Promise<void> {
  const database = await openDatabase(config, createLogger({ ...config, LOG_LEVEL: 'error' }));
  try {
    const tokens = await createTokens(database.pool);
    const identity = { actor: options.actor ?? `${role}-${randomUUID()}`, role, conference: options.conference };
    console.log(
      options.link
        ? `${config.publicUrl}/#link=${await tokens.createLink(identity, SECONDS)}`
        : await tokens.issue(identity, SECONDS),
    );
  } catch (error) {
    if (error instanceof Refusal) throw new CliError(`${error.code} ${error.message}`);
    throw error;
  } finally {
    await database.close();
  }
}
