/** Links that hand out a token once. Only the hash of their code is kept. */
import { createHash, randomBytes } from 'node:crypto';
import { defineLimit } from '#libs/limits';
import type { Queryable } from '#libs/postgres';
import { Refusal } from '#libs/protocol';
import type { Identity, Role } from '../../conference/capability.js';

const MAX_OPEN_LINKS = defineLimit({
  name: 'access.links.open',
  value: 50_000,
  unit: 'items',
  beyond: 'another link is refused with 106 until some are used or run out',
});
const KEPT_DAYS = defineLimit({
  name: 'access.links.kept',
  value: 7,
  unit: 'days',
  beyond: 'a link that was used or has run out is deleted; the last used one of each role stays',
});
/** Rows of one delete statement. */
const PURGED_AT_ONCE = 1_000;

export interface LinkOptions {
  readonly by: string;
  /** Milliseconds since 1970: the token that it hands out ends then at the latest. */
  readonly tokenEndsAt?: number | undefined;
}

export interface Redeemed {
  readonly identity: Identity;
  readonly createdAt: number;
  readonly by: string;
  readonly tokenEndsAt: number | undefined;
}

/** @returns the code. @throws Refusal rate-limited */
export async function createLink(
  db: Queryable,
  { actor, role, conference }: Identity,
  expiresInSeconds: number,
  { by, tokenEndsAt }: LinkOptions,
): Promise<string> {
  const code = randomBytes(18).toString('base64url');
  const { rowCount } = await db.query(
    `insert into one_time_link (code_hash, role, conference, actor, expires_at, created_by, token_ends_at)
     select $1, $2, $3, $4, clock_timestamp() + make_interval(secs => $5), $6, to_timestamp($7::float8 / 1000)
      where (select count(*) from one_time_link where used_at is null and expires_at > clock_timestamp()) < $8`,
    [hashOf(code), role, conference, actor, expiresInSeconds, by, tokenEndsAt ?? null, MAX_OPEN_LINKS],
  );
  if (rowCount !== 1) throw new Refusal('rate-limited', 'too many links are waiting to be used', 60_000);
  return code;
}

interface LinkRow extends Identity {
  readonly created_at: Date;
  readonly created_by: string | null;
  readonly token_ends_at: Date | null;
}

const OPEN = 'code_hash = $1 and used_at is null and expires_at > clock_timestamp()';

/** What a link would hand out. @throws Refusal unknown-code */
export async function readLink(db: Queryable, code: string): Promise<Redeemed> {
  const { rows } = await db.query<LinkRow>(`select * from one_time_link where ${OPEN}`, [hashOf(code)]);
  const [link] = rows;
  if (!link) throw new Refusal('unknown-code');
  const { role, conference, actor } = link;
  return {
    identity: { role, conference, actor },
    createdAt: link.created_at.getTime(),
    by: link.created_by ?? 'unknown',
    tokenEndsAt: link.token_ends_at?.getTime(),
  };
}

/** Of several that use it at once, one succeeds. @throws Refusal unknown-code */
export async function useLink(db: Queryable, code: string): Promise<void> {
  const { rowCount } = await db.query(`update one_time_link set used_at = clock_timestamp() where ${OPEN}`, [
    hashOf(code),
  ]);
  if (rowCount !== 1) throw new Refusal('unknown-code');
}

/** Whether a link for this role was ever redeemed. */
export async function wasRedeemed(db: Queryable, role: Role): Promise<boolean> {
  const { rows } = await db.query<{ yes: boolean }>(
    'select exists (select 1 from one_time_link where role = $1 and used_at is not null) as yes',
    [role],
  );
  return rows[0]?.yes ?? false;
}

/** @returns how many were deleted */
export async function purgeLinks(db: Queryable): Promise<number> {
  let deleted = 0;
  for (;;) {
    const { rowCount } = await db.query(
      `delete from one_time_link where code_hash in (
         select code_hash from one_time_link
          where (used_at is not null or expires_at < clock_timestamp())
            and coalesce(used_at, expires_at) < clock_timestamp() - make_interval(days => $1)
            and code_hash not in (select distinct on (role) code_hash from one_time_link where used_at is not null order by role, used_at desc)
          limit $2)`,
      [KEPT_DAYS, PURGED_AT_ONCE],
    );
    deleted += rowCount ?? 0;
    if ((rowCount ?? 0) < PURGED_AT_ONCE) return deleted;
  }
}

const hashOf = (code: string): Buffer => createHash('sha256').update(code).digest();
