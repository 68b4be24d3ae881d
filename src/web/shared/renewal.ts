/** Tokens that go on: the same person keeps their questions and votes for as long as the conference lasts. */
import { call } from './http.js';
import { type Identity, saveIdentity } from './identity.js';

interface Times {
  readonly iat?: number;
  readonly exp?: number;
}

/** The service judges by its own clock; this one only decides when to ask. */
function isPastHalf(token: string, now: number): boolean {
  try {
    const payload = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
    const { iat, exp } = JSON.parse(atob(payload)) as Times;
    return iat !== undefined && exp !== undefined && now / 1_000 > (iat + exp) / 2;
  } catch {
    return false;
  }
}

/**
 * What `getToken` of a feed's client asks for: the token as it is; a new one once half of its time has passed, or if the service says
 * that it has run out. Where there is none, the old one: the service says why it does not do.
 */
export function createRenewal(identity: Identity, conference: string, now: () => number = Date.now) {
  let { token } = identity;
  return {
    current: (): string => token,
    async get(mustRenew: boolean): Promise<string> {
      if (!mustRenew && !isPastHalf(token, now())) return token;
      try {
        const route = `/v1/conferences/${encodeURIComponent(conference)}/tokens/renew`;
        token = (await call<{ token: string }>(route, { token, body: {} })).token;
        saveIdentity(identity.role, conference, token);
      } catch {
        // Refused, or not reached: with the old token the connection says which.
      }
      return token;
    },
  };
}
