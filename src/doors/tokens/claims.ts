/** What stands in a token. */
import { decodeProtectedHeader, type JWTPayload } from 'jose';
import { z } from 'zod';
import { Refusal } from '#libs/protocol';
import { actorId } from '../../conference/access/events.js';
import type { Identity } from '../../conference/capability.js';
import { slug } from '../../conference/kernel.js';
import type { TokenFacts } from './access-state.js';

const claims = z
  .object({
    sub: actorId,
    role: z.enum(['organizer', 'moderator', 'operator', 'attendee', 'screen', 'producer']),
    conf: z.union([z.literal('*'), slug]),
  })
  .refine(({ role, conf }) => conf !== '*' || role === 'organizer' || role === 'operator', 'needs one conference');
const verifiedClaims = z.intersection(
  claims,
  z.object({ exp: z.int(), iat: z.number().optional(), jti: z.uuid().optional(), since: z.number().optional() }),
);

export interface Verified extends TokenFacts {
  readonly identity: Identity;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  /** When the first of the tokens was issued that this one was renewed from. */
  readonly since: number;
}

export function keyOf(token: string): string | undefined {
  try {
    return decodeProtectedHeader(token).kid;
  } catch {
    throw new Refusal('unauthenticated');
  }
}

export function refuseUnusable({ actor, role, conference }: Identity): void {
  if (!actorId.safeParse(actor).success)
    throw new Refusal('invalid', 'actor: visible ASCII characters, at most 100 of them');
  if (!claims.safeParse({ sub: actor, role, conf: conference }).success)
    throw new Refusal('invalid', 'conference: the id of a conference; * is for organizers and operators alone');
}

export function toVerified({ payload, key }: { readonly payload: JWTPayload; readonly key: string }): Verified {
  const parsed = verifiedClaims.safeParse(payload);
  if (!parsed.success) throw new Refusal('unauthenticated');
  const { sub, role, conf, exp, iat = 0, jti = null, since = iat } = parsed.data;
  return {
    id: jti,
    identity: { actor: sub, role, conference: conf },
    key,
    issuedAt: iat * 1_000,
    expiresAt: exp * 1_000,
    since: since * 1_000,
  };
}
