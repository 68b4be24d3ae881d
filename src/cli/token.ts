/** `hallway token`: a token or a one-time link for somebody. */
import { randomUUID } from 'node:crypto';
import type { Config } from '../config.js';
import { withTokens } from './access.js';
import { Service } from './service.js';

const SECONDS = 2 * 24 * 3_600;

export interface TokenOptions {
  readonly role: string;
  readonly conference: string;
  readonly session?: readonly string[];
  readonly actor?: string;
  readonly link?: boolean;
  readonly label?: string;
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
      ...(options.label ? { label: options.label } : {}),
    },
  )) as { readonly token?: string; readonly url?: string };
  console.log(answer.url ?? answer.token);
}

/** Whoever has the database has the keys that lie in it: a lost token locks nobody out. Good for two days. */
async function fromDatabase(config: Config, role: 'organizer' | 'operator', options: TokenOptions): Promise<void> {
  await withTokens(config, async (tokens) => {
    const identity = {
      actor: options.actor ?? `${role.slice(0, 1)}-${randomUUID()}`,
      role,
      conference: options.conference,
    };
    const by = 'command-line';
    console.log(
      options.link
        ? `${config.publicUrl}/#link=${await tokens.createLink(identity, SECONDS, { by })}`
        : await tokens.issue(identity, SECONDS, { by, label: options.label }),
    );
  });
}
