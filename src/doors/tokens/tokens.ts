/** Signed tokens (JWT, ES256) with keys of our own, and links that hand one out once. */
import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { errors, type JWTPayload, jwtVerify, SignJWT } from 'jose';
import { LRUCache } from 'lru-cache';
import type pg from 'pg';
import { defineLimit } from '#libs/limits';
import type { Logger } from '#libs/postgres';
import { type ClientClass, Refusal } from '#libs/protocol';
import type { Identity, Role } from '../../conference/capability.js';
import { AccessState } from './access-state.js';
import { keyOf, refuseUnusable, toVerified, type Verified } from './claims.js';
import { createLink, type LinkOptions, purgeLinks, type Redeemed, readLink, useLink, wasRedeemed } from './links.js';
import { ALGORITHM } from './signing-keys.js';
import {
  type AccessAct,
  isKnownPerson,
  listActs,
  listTokens,
  purgeTokens,
  type Revocation,
  recordToken,
  revoke,
  rotate,
  type StaffToken,
} from './staff-tokens.js';

import { classOfRole, readTicket, writeTicket } from './tickets.js';

const ISSUER = 'hallway';
/** How soon a revocation at another process holds here. */
const REFRESH_MS = 1_000;
const PURGE_MS = 3_600_000;
const KEYS_EVERY_MS = defineLimit({
  name: 'access.keys.look',
  value: 250,
  unit: 'ms',
  beyond: 'tokens of unknown keys wait for the next look',
});

export type { Verified };

export interface IssueOptions {
  /** Who gives it; default: the service. */
  readonly by?: string | undefined;
  readonly label?: string | undefined;
  /** Milliseconds since 1970: it ends then at the latest. */
  readonly endsAt?: number | undefined;
  readonly since?: number | undefined;
}

export interface Tokens {
  /** @throws Refusal invalid: a token that `verify` would refuse is not made */
  issue(identity: Identity, expiresInSeconds: number, options?: IssueOptions): Promise<string>;
  /**
   * @param graceMs  so long after its end it is still accepted
   * @throws Refusal unauthenticated, expired, revoked
   */
  verify(token: string, graceMs?: number): Promise<Verified>;
  /** Opens a place of this role's class before the upgrade. */
  ticket(role: Role): string;
  /** Whose place a ticket opens; null: it is none. */
  ticketClass(ticket: unknown): ClientClass | null;
  /** Of a token that was verified here lately, and may have ended since; of any other nothing is said. */
  known(token: string): Verified | undefined;
  /** Whether a token that was verified has been ended since; known within a second. */
  endOf(verified: Verified): Refusal | undefined;
  /** @returns the code; only its hash is kept. @throws Refusal invalid, rate-limited */
  createLink(identity: Identity, expiresInSeconds: number, options?: LinkOptions): Promise<string>;
  /**
   * One redeems it, once.
   * @param mayEnter  throws for a person who may not come in; the link stays unused then
   * @throws Refusal unknown-code, revoked
   */
  redeem(code: string, mayEnter?: (identity: Identity) => Promise<void>): Promise<Redeemed>;
  /** Whether a link for this role was ever redeemed. */
  wasRedeemed(role: Role): Promise<boolean>;
  isKnownPerson(actor: string): Promise<boolean>;
  list(conference: string): Promise<{ readonly tokens: readonly StaffToken[]; readonly acts: readonly AccessAct[] }>;
  /** @throws Refusal not-found */
  revoke(revocation: Revocation): Promise<void>;
  rotateKeys(options: { readonly by: string; readonly revokeOld: boolean }): Promise<string>;
  /** Called when tokens may have ended before their time. @returns ends it */
  onChange(listener: () => void): () => void;
  /** Milliseconds since 1970, by the clock that ends tokens. */
  now(): number;
  /** Keeps up with other processes, and deletes what has run out. @returns ends it */
  watch(logger: Pick<Logger, 'warn'>): () => void;
}

export async function createTokens(pool: pg.Pool): Promise<Tokens> {
  const tokens = new SignedTokens(pool);
  await tokens.refresh();
  return tokens;
}

class SignedTokens implements Tokens {
  private readonly state: AccessState;
  // A check costs 70–180 µs of CPU and a storm brings thousands: remembered by hash, never the token itself.
  private readonly cache = new LRUCache<string, Verified>({ max: 50_000 });
  private readonly listeners = new Set<() => void>();
  private keysLookedAt = Number.NEGATIVE_INFINITY;
  private lookingForKeys: Promise<void> | undefined;

  constructor(private readonly pool: pg.Pool) {
    this.state = new AccessState(pool);
  }

  async refresh(): Promise<void> {
    if (await this.state.refresh()) for (const listener of this.listeners) listener();
  }

  async issue(identity: Identity, expiresInSeconds: number, options: IssueOptions = {}): Promise<string> {
    refuseUnusable(identity);
    const [key] = this.state.keys;
    if (!key) throw new Refusal('behind', 'there is no key to sign with', 1_000);
    const { actor, role, conference } = identity;
    const { by = 'service', label, endsAt = Number.POSITIVE_INFINITY } = options;
    const seconds = Math.min(expiresInSeconds, Math.floor((endsAt - this.now()) / 1_000));
    // Attendees come by the thousand and are no staff: they cost the database nothing.
    const { id, issuedAt } =
      role === 'attendee'
        ? { id: randomUUID(), issuedAt: this.now() }
        : await recordToken(this.pool, identity, seconds, { by, label });
    return new SignJWT({ role, conf: conference, since: Math.floor((options.since ?? issuedAt) / 1_000) })
      .setProtectedHeader({ alg: ALGORITHM, kid: key.id })
      .setIssuer(ISSUER)
      .setSubject(actor)
      .setJti(id)
      .setIssuedAt(issuedAt / 1_000)
      .setExpirationTime(Math.floor(issuedAt / 1_000) + seconds)
      .sign(key.signing);
  }

  async verify(token: string, graceMs = 0): Promise<Verified> {
    if (token.length > 4_096) throw new Refusal('unauthenticated');
    const hash = cacheKeyOf(token);
    let verified = this.cache.get(hash);
    if (!verified) {
      verified = toVerified(await this.check(token));
      this.cache.set(hash, verified);
    }
    if (verified.expiresAt + graceMs <= this.now()) throw new Refusal('expired');
    const ended = this.endOf(verified);
    if (ended) throw ended;
    return verified;
  }

  ticket(role: Role): string {
    const [key] = this.state.keys;
    if (!key) throw new Refusal('behind', 'there is no key to sign with', 1_000);
    return writeTicket(key.ticketSecret, classOfRole(role), this.now());
  }

  ticketClass(ticket: unknown): ClientClass | null {
    if (ticket === undefined) return null;
    const secrets = this.state.keys.map(({ ticketSecret }) => ticketSecret);
    return readTicket(secrets, ticket, this.now());
  }

  known(token: string): Verified | undefined {
    return this.cache.get(cacheKeyOf(token));
  }

  endOf(verified: Verified): Refusal | undefined {
    switch (this.state.endedBy(verified)) {
      case undefined:
        return undefined;
      case 'revoked':
        return new Refusal('revoked');
      case 'restore':
        return new Refusal('expired', 'the database was restored since: ask for a new link');
      case 'key':
        return new Refusal('unauthenticated');
    }
  }

  async createLink(identity: Identity, expiresInSeconds: number, options: LinkOptions = { by: 'service' }) {
    refuseUnusable(identity);
    return createLink(this.pool, identity, expiresInSeconds, options);
  }

  async redeem(code: string, mayEnter?: (identity: Identity) => Promise<void>): Promise<Redeemed> {
    const redeemed = await readLink(this.pool, code);
    const { identity, createdAt } = redeemed;
    // Its maker's revocation at another process may be younger than what is known here.
    await this.refresh();
    if (this.state.endedBy({ id: null, identity, key: null, issuedAt: createdAt }) === 'revoked')
      throw new Refusal('revoked');
    await mayEnter?.(identity);
    await useLink(this.pool, code);
    return redeemed;
  }

  wasRedeemed(role: Role): Promise<boolean> {
    return wasRedeemed(this.pool, role);
  }

  isKnownPerson(actor: string): Promise<boolean> {
    return isKnownPerson(this.pool, actor);
  }

  async list(conference: string) {
    const [tokens, acts] = await Promise.all([listTokens(this.pool, conference), listActs(this.pool, conference)]);
    return { tokens, acts };
  }

  async revoke(revocation: Revocation): Promise<void> {
    await revoke(this.pool, revocation);
    await this.refresh();
  }

  async rotateKeys(options: { readonly by: string; readonly revokeOld: boolean }): Promise<string> {
    const id = await rotate(this.pool, options);
    await this.refresh();
    return id;
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  now(): number {
    return this.state.now();
  }

  watch(logger: Pick<Logger, 'warn'>): () => void {
    let failing = false;
    const refresh = () =>
      this.refresh().then(
        () => {
          failing = false;
        },
        (err: unknown) => {
          // Once for an outage: what is known goes on to hold.
          if (!failing) logger.warn({ err }, 'revocations could not be read; retrying every second');
          failing = true;
        },
      );
    const purge = () =>
      Promise.all([purgeLinks(this.pool), purgeTokens(this.pool)]).catch((err: unknown) =>
        logger.warn({ err }, 'expired links and tokens could not be deleted; retrying in 1 h'),
      );
    const timers = [setInterval(() => void refresh(), REFRESH_MS), setInterval(() => void purge(), PURGE_MS)];
    void purge();
    return () => {
      for (const timer of timers) clearInterval(timer);
    };
  }

  /** At most one statement in `KEYS_EVERY_MS`, however many tokens name keys that nobody has made. Rejects never. */
  private lookForKeys(): Promise<void> {
    this.lookingForKeys ??= (async () => {
      await delay(Math.max(0, this.keysLookedAt + KEYS_EVERY_MS - performance.now()));
      this.keysLookedAt = performance.now();
      await this.refresh().catch(() => undefined);
      this.lookingForKeys = undefined;
    })();
    return this.lookingForKeys;
  }

  private async check(token: string): Promise<{ readonly payload: JWTPayload; readonly key: string }> {
    const id = keyOf(token);
    let key = this.state.keys.find((known) => known.id === id);
    if (!key) {
      // Another process may have made it a moment ago.
      await this.lookForKeys();
      key = this.state.keys.find((known) => known.id === id);
    }
    if (!key) throw new Refusal('unauthenticated');
    try {
      // Its end is judged by the caller, by the database's clock.
      const { payload } = await jwtVerify(token, key.checking, {
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        currentDate: new Date(0),
      });
      return { payload, key: key.id };
    } catch (error) {
      throw new Refusal(error instanceof errors.JWTExpired ? 'expired' : 'unauthenticated');
    }
  }
}

const cacheKeyOf = (token: string): string => createHash('sha256').update(token).digest('base64');
