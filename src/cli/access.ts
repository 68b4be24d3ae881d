/** `hallway tokens` and `hallway keys`: who has access, and how it ends. Through the service, or, with DATABASE_URL and no token, in the database. */
import { Refusal } from '#libs/protocol';
import type { Config } from '../config.js';
import type { AccessAct, StaffToken } from '../doors/tokens/staff-tokens.js';
import { createTokens, type Tokens } from '../doors/tokens/tokens.js';
import { createLogger } from '../logger.js';
import { openDatabase } from '../store.js';
import { CliError } from './cli-error.js';
import { Service } from './service.js';

/** As whom the database is changed: who can reach it has the keys that lie in it. */
const BY = 'command-line';

export interface RevokeOptions {
  readonly conference: string;
  readonly token?: string;
  readonly actor?: string;
  readonly reason?: string;
}

const isDirect = ({ DATABASE_URL, HALLWAY_TOKEN }: Config): boolean => Boolean(DATABASE_URL) && !HALLWAY_TOKEN;

export async function withTokens<T>(config: Config, use: (tokens: Tokens) => Promise<T>): Promise<T> {
  const database = await openDatabase(config, createLogger({ ...config, LOG_LEVEL: 'error' }));
  try {
    return await use(await createTokens(database.pool));
  } catch (error) {
    if (error instanceof Refusal) throw new CliError(`${error.code} ${error.message}`);
    throw error;
  } finally {
    await database.close();
  }
}

const routeOf = (conference: string): string => `/v1/conferences/${encodeURIComponent(conference)}/tokens`;

export async function listAccess(config: Config, conference: string): Promise<void> {
  const { tokens, acts } = isDirect(config)
    ? await withTokens(config, (known) => known.list(conference))
    : ((await new Service(config).getJson(routeOf(conference))) as { tokens: StaffToken[]; acts: AccessAct[] });
  for (const { id, actor, role, conference: at, label, issuedBy, expiresAt, revoked } of tokens) {
    const state = revoked ? 'revoked' : `until ${expiresAt}`;
    console.log([id, role, at, actor, state, `given by ${issuedBy}`, ...(label ? [label] : [])].join('  '));
  }
  for (const { at, by, act, subject, reason } of acts)
    console.log([at, act, subject, `by ${by}`, ...(reason ? [reason] : [])].join('  '));
}

export async function revokeAccess(config: Config, options: RevokeOptions): Promise<void> {
  const { conference, token, actor, reason } = options;
  if ((token === undefined) === (actor === undefined)) throw new CliError('200 give one of --token and --actor');
  if (isDirect(config))
    await withTokens(config, (tokens) => tokens.revoke({ by: BY, conference, token, actor, reason }));
  else await new Service(config).postJson(`${routeOf(conference)}/revoke`, { token, actor, reason });
  console.log(`revoked: ${token ?? actor}`);
}

export async function rotateKeys(config: Config, revokeOld: boolean): Promise<void> {
  const key = isDirect(config)
    ? await withTokens(config, (tokens) => tokens.rotateKeys({ by: BY, revokeOld }))
    : ((await new Service(config).postJson('/v1/conferences/*/keys', { revoke: revokeOld })) as { key: string }).key;
  console.log(`key ${key} signs from now on${revokeOld ? '; every older token has ended' : ''}`);
}

/** For the person whose token this is. */
export async function makeDeviceLink(config: Config, conference: string): Promise<void> {
  const route = `/v1/conferences/${encodeURIComponent(conference)}/links`;
  console.log(((await new Service(config).postJson(route, {})) as { url: string }).url);
}
