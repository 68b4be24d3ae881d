/** Tokens of the staff by name, how they are ended before their time, and what was done about access. */
import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { defineLimit } from '#libs/limits';
import { inTransaction, type Queryable } from '#libs/postgres';
import { Refusal } from '#libs/protocol';
import type { Identity, Role } from '../../conference/capability.js';
import { rotateKeys } from './signing-keys.js';

const LISTED = defineLimit({
  name: 'access.tokens.listed',
  value: 1_000,
  unit: 'items',
  beyond: 'only the newest are listed; all can be revoked by their actor',
});
const ACTS_KEPT_DAYS = defineLimit({
  name: 'access.acts.kept',
  value: 800,
  unit: 'days',
  beyond: 'a revocation or a rotation of keys is no longer listed',
});
/** The longest that any token lasts: revocations of an actor are kept for so long. */
export const LONGEST_TOKEN_DAYS = 366;

export interface StaffToken extends Identity {
  readonly id: string;
  readonly label: string | null;
  readonly issuedBy: string;
  readonly issuedAt: string;
  readonly expiresAt: string;
  readonly revoked: boolean;
}

export interface AccessAct {
  readonly at: string;
  readonly by: string;
  readonly act: string;
  readonly conference: string;
  readonly subject: string;
  readonly reason: string | null;
}

export interface Revocation {
  /** Who revokes, for the list of acts. */
  readonly by: string;
  /** `*`: wherever the token is good for. */
  readonly conference: string;
  readonly token?: string | undefined;
  readonly actor?: string | undefined;
  readonly reason?: string | undefined;
}

/** @returns its id and, by the database's clock, when it was issued */
export async function recordToken(
  db: Queryable,
  { actor, role, conference }: Identity,
  expiresInSeconds: number,
  { by, label }: { readonly by: string; readonly label: string | undefined },
): Promise<{ readonly id: string; readonly issuedAt: number }> {
  const id = randomUUID();
  const { rows } = await db.query<{ issued_at: Date }>(
    `insert into staff_token (id, actor, role, conference, label, issued_by, expires_at)
     values ($1, $2, $3, $4, $5, $6, clock_timestamp() + make_interval(secs => $7)) returning issued_at`,
    [id, actor, role, conference, label ?? null, by, expiresInSeconds],
  );
  return { id, issuedAt: rows[0]?.issued_at.getTime() ?? Date.now() };
}

/** Whether a person of this id has ever been given a token that is still listed, or a link. */
export async function isKnownPerson(db: Queryable, actor: string): Promise<boolean> {
  const { rows } = await db.query<{ yes: boolean }>(
    `select exists (select 1 from staff_token where actor = $1 and role <> 'producer')
         or exists (select 1 from one_time_link where actor = $1 and role <> 'producer') as yes`,
    [actor],
  );
  return rows[0]?.yes ?? false;
}

/** @param conference  `*`: of all. Newest first */
export async function listTokens(db: Queryable, conference: string): Promise<readonly StaffToken[]> {
  const { rows } = await db.query<{
    id: string;
    actor: string;
    role: Role;
    conference: string;
    label: string | null;
    issued_by: string;
    issued_at: Date;
    expires_at: Date;
    revoked: boolean;
  }>(
    `select t.*, exists (select 1 from token_revocation r where r.token = t.id
            or (r.actor = t.actor and r.revoked_at > t.issued_at and r.conference in ('*', t.conference))) as revoked
       from staff_token t where expires_at > clock_timestamp() and ($1 = '*' or conference = $1)
      order by issued_at desc limit $2`,
    [conference, LISTED],
  );
  return rows.map(({ id, actor, role, conference, label, revoked, ...row }) => ({
    id,
    actor,
    role,
    conference,
    label,
    issuedBy: row.issued_by,
    issuedAt: row.issued_at.toISOString(),
    expiresAt: row.expires_at.toISOString(),
    revoked,
  }));
}

/** Newest first. */
export async function listActs(db: Queryable, conference: string): Promise<readonly AccessAct[]> {
  const { rows } = await db.query<Omit<AccessAct, 'at' | 'by'> & { at: Date; by_actor: string }>(
    `select at, by_actor, act, conference, subject, reason from access_act where $1 = '*' or conference = $1 order by id desc limit $2`,
    [conference, LISTED],
  );
  return rows.map(({ at, by_actor: by, act, subject, reason, ...rest }) => ({
    at: at.toISOString(),
    by,
    act,
    conference: rest.conference,
    subject,
    reason,
  }));
}

/**
 * One token by its id, or all that an actor was given until now; tokens that are given to that actor afterwards are good.
 * @throws Refusal not-found: there is no such token in this conference
 */
export async function revoke(pool: pg.Pool, { by, conference, token, actor, reason }: Revocation): Promise<void> {
  await inTransaction(pool, async (client) => {
    if (token !== undefined) {
      const { rowCount } = await client.query(
        `insert into token_revocation (token, conference, until)
         select id, conference, expires_at from staff_token where id = $1 and ($2 = '*' or conference = $2)`,
        [token, conference],
      );
      if (rowCount !== 1) throw new Refusal('not-found', 'there is no such token');
    } else {
      await client.query(
        `insert into token_revocation (actor, conference, until) values ($1, $2, clock_timestamp() + make_interval(days => $3))`,
        [actor, conference, LONGEST_TOKEN_DAYS],
      );
      await client.query(
        `update one_time_link set expires_at = clock_timestamp()
          where actor = $1 and ($2 = '*' or conference = $2) and used_at is null and expires_at > clock_timestamp()`,
        [actor, conference],
      );
    }
    await recordAct(client, { by, act: 'revoke', conference, subject: token ?? actor ?? '', reason });
  });
}

/** @returns the id of the key that signs from now on */
export async function rotate(
  pool: pg.Pool,
  { by, revokeOld }: { readonly by: string; readonly revokeOld: boolean },
): Promise<string> {
  return inTransaction(pool, async (client) => {
    const id = await rotateKeys(client, revokeOld);
    const act = revokeOld ? 'rotate-keys-and-revoke' : 'rotate-keys';
    await recordAct(client, { by, act, conference: '*', subject: id, reason: undefined });
    return id;
  });
}

interface NewAct {
  readonly by: string;
  readonly act: string;
  readonly conference: string;
  readonly subject: string;
  readonly reason: string | undefined;
}

async function recordAct(db: Queryable, { by, act, conference, subject, reason }: NewAct): Promise<void> {
  await db.query('insert into access_act (by_actor, act, conference, subject, reason) values ($1, $2, $3, $4, $5)', [
    by,
    act,
    conference,
    subject,
    reason ?? null,
  ]);
}

/** What has run out: tokens, revocations of such, keys whose last token has ended, acts of long ago. */
export async function purgeTokens(db: Queryable): Promise<void> {
  await db.query(`delete from staff_token where expires_at < clock_timestamp() - interval '30 days'`);
  await db.query('delete from token_revocation where until < clock_timestamp()');
  await db.query('delete from access_act where at < clock_timestamp() - make_interval(days => $1)', [ACTS_KEPT_DAYS]);
  // A key has signed until the next one was made; the newest stays.
  await db.query(
    `delete from signing_key k where (select min(created_at) from signing_key newer where newer.created_at > k.created_at)
       < clock_timestamp() - make_interval(days => $1)`,
    [LONGEST_TOKEN_DAYS],
  );
}
