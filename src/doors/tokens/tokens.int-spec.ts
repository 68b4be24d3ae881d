import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { generateKeyPair, importJWK, type JWK, SignJWT } from 'jose';
import { createPool } from '#libs/postgres';
import { Refusal } from '#libs/protocol';
import { createTestDatabase, type TestDatabase } from '../../../test/support/test-database.js';
import type { Identity } from '../../conference/capability.js';
import { createTokens } from './tokens.js';

const identity: Identity = { actor: 'm1', role: 'moderator', conference: 'srecon-demo' };

describe('Tokens', () => {
  let database: TestDatabase;
  /** The pool of another process. */
  let other: TestDatabase['pool'];

  beforeAll(async () => {
    database = await createTestDatabase();
    other = createPool({ url: database.url, applicationName: 'hallway test, another process' });
  });
  afterAll(async () => {
    await other.end();
    await database.drop();
  });

  const refusal = (promise: Promise<unknown>): Promise<string> =>
    promise.then(
      () => 'no refusal',
      (error: unknown) => (error instanceof Refusal ? error.refusal : String(error)),
    );

  it('processes that start together make one key and accept each other’s tokens', async () => {
    const [here, there] = await Promise.all([createTokens(database.pool), createTokens(other)]);
    const { rows } = await database.pool.query('select count(*)::int as keys from signing_key');
    expect(rows).toEqual([{ keys: 1 }]);
    const token = await here.issue(identity, 60);
    const { identity: read, expiresAt } = await there.verify(token);
    expect(read).toEqual(identity);
    expect(Math.abs(expiresAt - Date.now() - 60_000)).toBeLessThan(5_000);
  });

  it('what was signed by another key, changed, or is no token at all is refused', async () => {
    const tokens = await createTokens(database.pool);
    const [head, , signature] = (await tokens.issue(identity, 60)).split('.');
    const claims = {
      role: 'organizer',
      conf: '*',
      sub: 'm1',
      iss: 'hallway',
      exp: Math.floor(Date.now() / 1_000) + 60,
    };
    const changed = `${head}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}`;
    const { privateKey } = await generateKeyPair('ES256');
    const foreign = await new SignJWT(claims).setProtectedHeader({ alg: 'ES256' }).sign(privateKey);
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${changed.split('.')[1]}.`;
    for (const token of [changed, foreign, none, 'x', 'x'.repeat(5_000)])
      expect(await refusal(tokens.verify(token))).toBe('unauthenticated');
  });

  it('case V30: a signed token whose person cannot be stored, or of an attendee of all conferences, is refused', async () => {
    const tokens = await createTokens(database.pool);
    const { rows } = await database.pool.query<{ id: string; private_jwk: JWK }>('select * from signing_key');
    const key = await importJWK(rows[0]?.private_jwk ?? {}, 'ES256');
    const signed = (claims: object) =>
      new SignJWT({ role: 'attendee', conf: 'srecon-demo', sub: 'a1', ...claims })
        .setProtectedHeader({ alg: 'ES256', kid: String(rows[0]?.id) })
        .setIssuer('hallway')
        .setExpirationTime('60s')
        .sign(key);
    expect((await tokens.verify(await signed({}))).identity).toMatchObject({ actor: 'a1' });
    expect((await tokens.verify(await signed({ role: 'operator', conf: '*' }))).identity.conference).toBe('*');
    const malformed = ['a\u0000b', 'a\nb', 'a\ud800', '', 'ä', 'x'.repeat(101), 7, null].map((sub) => ({ sub }));
    for (const claims of [...malformed, { conf: '*' }, { conf: '*', role: 'moderator' }, { conf: 'A/../b' }])
      expect(await refusal(tokens.verify(await signed(claims)))).toBe('unauthenticated');
    for (const wrong of [{ actor: 'a b' }, { role: 'screen', conference: '*' }] as const) {
      expect(await refusal(tokens.issue({ ...identity, ...wrong }, 60))).toBe('invalid');
      expect(await refusal(tokens.createLink({ ...identity, ...wrong }, 60))).toBe('invalid');
    }
  });

  it('a token that has run out is refused as such', async () => {
    const tokens = await createTokens(database.pool);
    expect(await refusal(tokens.verify(await tokens.issue(identity, -1)))).toBe('expired');
  });

  it('a link opened twice at the same time, at two processes, hands out one token', async () => {
    const [here, there] = await Promise.all([createTokens(database.pool), createTokens(other)]);
    const code = await here.createLink(identity, 60);
    const answers = await Promise.allSettled(
      Array.from({ length: 8 }, (_, index) => (index % 2 ? here : there).redeem(code)),
    );
    const won = answers.filter(({ status }) => status === 'fulfilled');
    expect(won).toEqual([{ status: 'fulfilled', value: identity }]);
    expect(await refusal(here.redeem(code))).toBe('unknown-code');
  });

  it('links that have run out or never existed are refused alike, and codes are kept hashed', async () => {
    const tokens = await createTokens(database.pool);
    const code = await tokens.createLink(identity, -1);
    expect(await refusal(tokens.redeem(code))).toBe('unknown-code');
    expect(await refusal(tokens.redeem('never made'))).toBe('unknown-code');
    const { rows } = await database.pool.query('select one_time_link::text as line from one_time_link');
    expect(JSON.stringify(rows)).not.toContain(code);
    expect(JSON.stringify(rows)).not.toContain(Buffer.from(code).toString('hex'));
  });
});
