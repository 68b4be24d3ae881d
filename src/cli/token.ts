/** `hallway token`: a token or a one-time link for somebody. */
import type { Config } from '../config.js';
import { Service } from './service.js';

export interface TokenOptions {
  readonly role: string;
  readonly conference: string;
  readonly session?: readonly string[];
  readonly actor?: string;
  readonly link?: boolean;
}

export async function makeToken(config: Config, options: TokenOptions): Promise<void> {
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
