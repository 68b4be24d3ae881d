import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { IncomingRecord } from '#libs/event-log';
import { until } from '../../test/support/process.js';
import { silent } from '../../test/support/silent.js';
import { createTestDatabase, type TestDatabase } from '../../test/support/test-database.js';
import {
  dropDeadLetter,
  forgetOldDeadLetters,
  keepDeadLetter,
  listDeadLetters,
  readDeadLetter,
} from './dead-letters.js';

describe('dead letters', () => {
  let database: TestDatabase;
  const record = (over: Partial<IncomingRecord> = {}): IncomingRecord => ({
    topic: 'conference.intake',
    partition: 0,
    offset: 1n,
    logIdentity: 'kafka/c/t1',
    key: Buffer.from('demo'),
    headers: { name: Buffer.from('value') },
    value: Buffer.from('what was sent'),
    ...over,
  });

  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  it('are kept once per record, and a topic made anew has places of its own', async () => {
    const db = database.pool;
    await keepDeadLetter(db, record(), '200 first');
    await keepDeadLetter(db, record(), '200 read again');
    await keepDeadLetter(db, record({ logIdentity: 'kafka/c/t2' }), '200 of the new topic');
    expect((await listDeadLetters(db, 10)).map(({ reason }) => reason)).toEqual(['200 of the new topic', '200 first']);
    const newest = await readDeadLetter(db, record());
    expect(newest).toEqual({
      record: record({ logIdentity: 'kafka/c/t2' }),
      reason: '200 of the new topic',
      whole: true,
    });
    expect(newest && (await dropDeadLetter(db, newest))).toBe(true);
    expect(await readDeadLetter(db, record())).toMatchObject({ reason: '200 first' });
  });

  it('case V50: keep the bytes as they came, text or not, so that what is sent again is the same', async () => {
    const bytes = record({ offset: 9n, key: Buffer.from([0xfe]), headers: { ce_id: Buffer.from([0xff, 0x31]) } });
    await keepDeadLetter(database.pool, bytes, '200 not UTF-8');
    expect((await readDeadLetter(database.pool, bytes))?.record).toEqual(bytes);
  });

  it('keep the beginning of what is very large, and say that it is not whole', async () => {
    const large = record({ offset: 2n, value: Buffer.alloc(2 * 1024 * 1024) });
    await keepDeadLetter(database.pool, large, '205 too large');
    const kept = await readDeadLetter(database.pool, large);
    expect([kept?.record.value?.length, kept?.whole]).toEqual([1024 * 1024, false]);
  });

  it('are forgotten after 30 days, those of the log as well', async () => {
    const db = database.pool;
    for (const topic of ['conference.events', 'conference.intake']) {
      await keepDeadLetter(db, record({ topic, offset: 3n }), 'old');
      await keepDeadLetter(db, record({ topic, offset: 4n }), 'young');
    }
    await db.query(`update dead_letter set found_at = now() - interval '31 days' where reason = 'old'`);
    await db.query(`update dead_letter set found_at = now() - interval '29 days' where reason = 'young'`);
    const reasons = async () => (await listDeadLetters(db, 10)).map(({ reason }) => reason);
    const end = forgetOldDeadLetters(db, silent);
    await until('the old are gone', async () => !(await reasons()).includes('old'));
    end();
    expect((await reasons()).filter((one) => one === 'young')).toHaveLength(2);
  });

  it('are listed with type, source and id of the event, as far as the record has them', async () => {
    const db = database.pool;
    const event = { type: 'session-ended', source: 'venue', id: 'e1' };
    const binary = {
      ce_type: Buffer.from(event.type),
      ce_source: Buffer.from(event.source),
      ce_id: Buffer.from(event.id),
    };
    const letters: readonly (readonly [Partial<IncomingRecord>, object])[] = [
      [{ headers: {}, value: Buffer.from(JSON.stringify({ ...event, data: {} })) }, event],
      [{ headers: binary, value: Buffer.from('garbage') }, event],
      [{ headers: {}, value: Buffer.from('{"type":7,"source":"venue"}') }, { source: 'venue' }],
      [{ headers: {}, value: Buffer.from('garbage') }, {}],
      [{ headers: {}, value: Buffer.from('null') }, {}],
      [{ headers: {}, value: null }, {}],
      [{ headers: binary, value: Buffer.alloc(100_000) }, event],
    ];
    for (const [at, [over]] of letters.entries())
      await keepDeadLetter(db, record({ topic: 'listed', offset: BigInt(at), ...over }), '200 of them');
    const listed = (await listDeadLetters(db, 100)).filter(({ topic }) => topic === 'listed');
    expect(listed.toReversed().map((letter) => letter.event)).toEqual(letters.map(([, wanted]) => wanted));
  });
});
