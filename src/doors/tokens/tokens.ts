/** Signed tokens (JWT, ES256) with keys of our own, and links that hand one out once. */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import {
  type CryptoKey,
  errors,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
  type JWTPayload,
  jwtVerify,
  SignJWT,
} from 'jose';
import { LRUCache } from 'lru-cache';
import type pg from 'pg';
import { z } from 'zod';
import { inTransaction } from '#libs/postgres';
import { Refusal } from '#libs/protocol';
import { actorId } from '../../conference/access/events.js';
import type { Identity, Role } from '../../conference/capability.js';
import { slug } from '../../conference/kernel.js';

const ALGORITHM = 'ES256';
const ISSUER = 'hallway';
/** Makes first starts of several processes take turns. */
const TURN = 7_246_311_004n;

const claims = z
  .object({
    sub: actorId,
    role: z.enum(['organizer', 'moderator', 'operator', 'attendee', 'screen', 'producer']),
    conf: z.union([z.literal('*'), slug]),
  })
  .refine(({ role, conf }) => conf !== '*' || role === 'organizer' || role === 'operator', 'needs one conference');
const verifiedClaims = z.intersection(claims, z.object({ exp: z.int() }));

export interface Verified {
  readonly identity: Identity;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

export interface Tokens {
  /** @throws Refusal invalid: a token that `verify` would refuse is not made */
  issue(identity: Identity, expiresInSeconds: number): Promise<string>;
  /** @throws Refusal unauthenticated, expired */
  verify(token: string): Promise<Verified>;
  /** @returns the code; only its hash is kept. @throws Refusal invalid */
  createLink(identity: Identity, expiresInSeconds: number): Promise<string>;
  /** One redeems it, once. @throws Refusal unknown-code */
  redeem(code: string): Promise<Identity>;
  /** Whether a link for this role was ever redeemed. */
  wasRedeemed(role: Role): Promise<boolean>;
}

export async function createTokens(pool: pg.Pool): Promise<Tokens> {
  const { id, signing, checking } = await signingKey(pool);
  // A check costs 70–180 µs of CPU and a storm brings thousands: remembered by hash, never the token itself.
  const cache = new LRUCache<string, Verified>({ max: 50_000 });

  return {
    async issue(identity, expiresInSeconds) {
      refuseUnusable(identity);
      const { actor, role, conference } = identity;
      return new SignJWT({ role, conf: conference })
        .setProtectedHeader({ alg: ALGORITHM, kid: id })
        .setIssuer(ISSUER)
        .setSubject(actor)
        .setJti(randomUUID())
        .setIssuedAt()
        .setExpirationTime(`${expiresInSeconds}s`)
        .sign(signing);
    },
    async verify(token) {
      if (token.length > 4_096) throw new Refusal('unauthenticated');
      const hash = createHash('sha256').update(token).digest('base64');
      const known = cache.get(hash);
      if (known) {
        if (known.expiresAt > Date.now()) return known;
        throw new Refusal('expired');
      }
      const verified = toVerified(await check(token, checking));
      cache.set(hash, verified, { ttl: Math.max(1, verified.expiresAt - Date.now()) });
      return verified;
    },
    async createLink(identity, expiresInSeconds) {
      refuseUnusable(identity);
      const { actor, role, conference } = identity;
      const code = randomBytes(18).toString('base64url');
      await pool.query(
        `insert into one_time_link (code_hash, role, conference, actor, expires_at) values ($1, $2, $3, $4, clock_timestamp() + make_interval(secs => $5))`,
        [hashOf(code), role, conference, actor, expiresInSeconds],
      );
      return code;
    },
    async redeem(code) {
      const { rows } = await pool.query<{ role: Role; conference: string; actor: string }>(
        `update one_time_link set used_at = clock_timestamp() where code_hash = $1 and used_at is null and expires_at > clock_timestamp()
         returning role, conference, actor`,
        [hashOf(code)],
      );
      const link = rows[0];
      if (!link) throw new Refusal('unknown-code');
      return link;
    },
    async wasRedeemed(role) {
      const { rows } = await pool.query<{ yes: boolean }>(
        'select exists (select 1 from one_time_link where role = $1 and used_at is not null) as yes',
        [role],
      );
      return rows[0]?.yes ?? false;
    },
  };
}

function refuseUnusable({ actor, role, conference }: Identity): void {
  if (!actorId.safeParse(actor).success)
    throw new Refusal('invalid', 'actor: visible ASCII characters, at most 100 of them');
  if (!claims.safeParse({ sub: actor, role, conf: conference }).success)
    throw new Refusal('invalid', 'conference: the id of a conference; * is for organizers and operators alone');
}

const hashOf = (code: string): Buffer => createHash('sha256').update(code).digest();

async function check(token: string, key: Key): Promise<JWTPayload> {
  try {
    return (await jwtVerify(token, key, { algorithms: [ALGORITHM], issuer: ISSUER })).payload;
  } catch (error) {
    throw new Refusal(error instanceof errors.JWTExpired ? 'expired' : 'unauthenticated');
  }
}

function toVerified(payload: JWTPayload): Verified {
  const parsed = verifiedClaims.safeParse(payload);
  if (!parsed.success) throw new Refusal('unauthenticated');
  const { sub, role, conf, exp } = parsed.data;
  return { identity: { actor: sub, role, conference: conf }, expiresAt: exp * 1_000 };
}

type Key = CryptoKey | Uint8Array;

async function signingKey(
  pool: pg.Pool,
): Promise<{ readonly id: string; readonly signing: Key; readonly checking: Key }> {
  const row = await inTransaction(pool, async (client) => {
    await client.query('select pg_advisory_xact_lock($1)', [TURN]);
    const { rows } = await client.query<{ id: string; private_jwk: JWK }>(
      'select id, private_jwk from signing_key order by created_at limit 1',
    );
    if (rows[0]) return rows[0];
    const { privateKey } = await generateKeyPair(ALGORITHM, { extractable: true });
    const made = { id: randomUUID(), private_jwk: await exportJWK(privateKey) };
    await client.query('insert into signing_key (id, private_jwk) values ($1, $2)', [
      made.id,
      JSON.stringify(made.private_jwk),
    ]);
    return made;
  });
  const { d: _private, ...publicJwk } = row.private_jwk;
  return {
    id: row.id,
    signing: await importJWK(row.private_jwk, ALGORITHM),
    checking: await importJWK(publicJwk, ALGORITHM),
  };
}
