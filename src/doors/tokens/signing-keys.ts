/** The keys that sign tokens: the newest signs, older ones verify until the last of their tokens has ended or they are revoked. */
import { createHash, randomUUID } from 'node:crypto';
import { type CryptoKey, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose';
import type pg from 'pg';
import { inTransaction, type Queryable } from '#libs/postgres';

export const ALGORITHM = 'ES256';
/** Makes first starts of several processes take turns. */
const TURN = 7_246_311_004n;

type Key = CryptoKey | Uint8Array;

export interface SigningKey {
  readonly id: string;
  readonly signing: Key;
  readonly checking: Key;
  /** What tickets are proved with. */
  readonly ticketSecret: Buffer;
}

interface KeyRow {
  readonly id: string;
  readonly private_jwk: JWK;
}

/** Of the keys that are not revoked, the newest first. At least one: made if there is none. */
export async function openKeys(pool: pg.Pool): Promise<readonly SigningKey[]> {
  const known = await readKeys(pool);
  if (known.length > 0) return known;
  await inTransaction(pool, async (client) => {
    await client.query('select pg_advisory_xact_lock($1)', [TURN]);
    const { rowCount } = await client.query('select 1 from signing_key where revoked_at is null limit 1');
    if (rowCount === 0) await makeKey(client);
  });
  return readKeys(pool);
}

async function readKeys(db: Queryable): Promise<readonly SigningKey[]> {
  const { rows } = await db.query<KeyRow>(
    'select id, private_jwk from signing_key where revoked_at is null order by created_at desc, id',
  );
  return Promise.all(
    rows.map(async ({ id, private_jwk }) => {
      const { d: secret, ...publicJwk } = private_jwk;
      return {
        id,
        signing: await importJWK(private_jwk, ALGORITHM),
        checking: await importJWK(publicJwk, ALGORITHM),
        ticketSecret: createHash('sha256').update(`hallway ticket ${secret}`).digest(),
      };
    }),
  );
}

async function makeKey(db: Queryable): Promise<string> {
  const { privateKey } = await generateKeyPair(ALGORITHM, { extractable: true });
  const id = randomUUID();
  await db.query('insert into signing_key (id, private_jwk) values ($1, $2)', [
    id,
    JSON.stringify(await exportJWK(privateKey)),
  ]);
  return id;
}

/** @param revoke  the older keys verify nothing any more: every token there is ends. @returns the id of the new key */
export async function rotateKeys(db: Queryable, revoke: boolean): Promise<string> {
  const id = await makeKey(db);
  if (revoke)
    await db.query('update signing_key set revoked_at = clock_timestamp() where id <> $1 and revoked_at is null', [id]);
  return id;
}
