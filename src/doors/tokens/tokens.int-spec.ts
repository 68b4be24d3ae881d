import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { decodeProtectedHeader, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose';
import { checkRestore, createPool, noticeRestore } from '#libs/postgres';
import { Refusal } from '#libs/protocol';
import { silent } from '../../../test/support/silent.js';
import { createTestDatabase, type TestDatabase } from '../../../test/support/test-database.js';
import type { Identity } from '../../conference/capability.js';
import { purgeLinks } from './links.js';
import { purgeTokens } from './staff-tokens.js';
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
    expect(won).toMatchObject([{ status: 'fulfilled', value: { identity } }]);
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

  it('case V34: a revoked token is refused at once here and within a second elsewhere; a new one of the same person is good', async () => {
    const [here, there] = await Promise.all([createTokens(database.pool), createTokens(other)]);
    const stop = there.watch(silent);
    const organizer: Identity = { actor: 'olga', role: 'organizer', conference: '*' };
    const [first, second] = [await here.issue(organizer, 60), await here.issue(organizer, 60)];
    const { id } = await there.verify(first);
    await there.verify(second);
    await here.revoke({ by: 'otto', conference: '*', token: String(id), reason: 'a lost laptop' });
    expect(await refusal(here.verify(first))).toBe('revoked');
    const heard = new Promise((resolve) => there.onChange(() => resolve(undefined)));
    await heard;
    expect(await refusal(there.verify(first))).toBe('revoked');
    expect(await refusal(there.verify(second))).toBe('no refusal');
    const link = await there.createLink(organizer, 60, { by: 'olga' });
    await here.revoke({ by: 'otto', conference: '*', actor: 'olga' });
    expect(await refusal(here.verify(second))).toBe('revoked');
    expect(await refusal(there.redeem(link))).toBe('unknown-code');
    expect(await refusal(here.verify(await here.issue(organizer, 60)))).toBe('no refusal');
    const { tokens, acts } = await here.list('*');
    expect(tokens.filter(({ actor }) => actor === 'olga').map(({ revoked }) => revoked)).toEqual([false, true, true]);
    expect(acts.slice(0, 2)).toMatchObject([
      { act: 'revoke', subject: 'olga', by: 'otto' },
      { act: 'revoke', subject: id, by: 'otto', reason: 'a lost laptop' },
    ]);
    expect(await refusal(here.revoke({ by: 'otto', conference: 'srecon-demo', token: String(id) }))).toBe('not-found');
    stop();
  });

  it('case V34: after a rotation the new key signs and older tokens stay good at every process; revoked, they end everywhere', async () => {
    const [here, there] = await Promise.all([createTokens(database.pool), createTokens(other)]);
    const before = await here.issue(identity, 60);
    await there.verify(before);
    const key = await here.rotateKeys({ by: 'otto', revokeOld: false });
    const after = await here.issue(identity, 60);
    expect(decodeProtectedHeader(after).kid).toBe(key);
    expect((await there.verify(after)).identity).toEqual(identity);
    expect((await there.verify(before)).identity).toEqual(identity);
    const last = await there.rotateKeys({ by: 'otto', revokeOld: true });
    const valid = await there.issue(identity, 60);
    expect(decodeProtectedHeader(valid).kid).toBe(last);
    expect((await here.verify(valid)).identity).toEqual(identity);
    for (const tokens of [here, there])
      for (const token of [before, after]) expect(await refusal(tokens.verify(token))).toBe('unauthenticated');
  });

  it('case V34: used and expired links, ended tokens, revocations and keys are deleted once nothing needs them, and nothing else', async () => {
    const tokens = await createTokens(database.pool);
    const open = await tokens.createLink(identity, 60);
    for (let index = 0; index < 3; index++) {
      await tokens.redeem(await tokens.createLink(identity, 60));
      await tokens.createLink(identity, -60);
    }
    const links = 'select count(*)::int as n from one_time_link';
    const count = async (sql: string) => (await database.pool.query<{ n: number }>(sql)).rows[0]?.n;
    const all = (await count(links)) ?? 0;
    await purgeLinks(database.pool);
    expect(await count(links)).toBe(all);
    await database.pool.query(
      `update one_time_link set used_at = used_at - interval '8 days', expires_at = case when expires_at < clock_timestamp() or used_at is not null then expires_at - interval '8 days' else expires_at end`,
    );
    await purgeLinks(database.pool);
    // The open one, and for each role the last that was used: whether there was one is asked at each start.
    expect(await count(`${links} where used_at is null`)).toBe(1);
    expect(await count(`${links} where role = 'moderator' and used_at is not null`)).toBe(1);
    expect(await tokens.wasRedeemed('moderator')).toBe(true);
    expect((await tokens.redeem(open)).identity).toEqual(identity);
    await database.pool.query(`update staff_token set expires_at = clock_timestamp() - interval '31 days'`);
    await database.pool.query(`update token_revocation set until = clock_timestamp() - interval '1 s'`);
    await database.pool.query(`update signing_key set created_at = created_at - interval '400 days'`);
    await tokens.rotateKeys({ by: 'otto', revokeOld: false });
    await purgeTokens(database.pool);
    expect(await count('select count(*)::int as n from staff_token')).toBe(0);
    expect(await count('select count(*)::int as n from token_revocation')).toBe(0);
    // The newest of the old ones signed until a moment ago.
    expect(await count('select count(*)::int as n from signing_key')).toBe(2);
  });

  it('case M1: after a restore organizers’ older tokens are asked for again, all others stay good', async () => {
    const tokens = await createTokens(database.pool);
    const organizer = await tokens.issue({ actor: 'olga', role: 'organizer', conference: '*' }, 60);
    const moderator = await tokens.issue(identity, 60);
    await noticeRestore(database.pool, (await checkRestore(database.pool)).nonce, 'history');
    const next = await createTokens(database.pool);
    expect(await refusal(next.verify(organizer))).toBe('expired');
    expect(await refusal(next.verify(moderator))).toBe('no refusal');
    const fresh = await next.issue({ actor: 'olga', role: 'organizer', conference: '*' }, 60);
    expect(await refusal(next.verify(fresh))).toBe('no refusal');
  });

  it('I9: tokens that name keys nobody has made cost the database a statement now and then, not one each', async () => {
    const tokens = await createTokens(database.pool);
    const asked = jest.spyOn(database.pool, 'query');
    const { privateKey } = await generateKeyPair('ES256');
    const garbage = () =>
      new SignJWT({ role: 'organizer', conf: '*', sub: 'm1' })
        .setProtectedHeader({ alg: 'ES256', kid: randomUUID() })
        .setIssuer('hallway')
        .setExpirationTime('60s')
        .sign(privateKey);
    for (let round = 0; round < 3; round++) {
      const all = await Promise.all(Array.from({ length: 50 }, garbage));
      const answers = await Promise.all(all.map((token) => refusal(tokens.verify(token))));
      expect(new Set(answers)).toEqual(new Set(['unauthenticated']));
    }
    expect(asked.mock.calls.length).toBeLessThanOrEqual(3);
    asked.mockRestore();
  });
});
