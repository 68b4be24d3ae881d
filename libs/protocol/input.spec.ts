import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { z } from 'zod';
import { decodeUtf8, faultIn, isStorable, MAX_DEPTH } from './input.js';
import { channelName, commandSchema, parseBounded } from './messages.js';
import { Refusal } from './refusals.js';

const refusalOf = (schema: z.ZodType, value: unknown): Refusal => {
  try {
    parseBounded(schema, value);
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error('it was accepted');
};

describe('what every way in checks first', () => {
  it('case V29: no text with a lone surrogate or a NUL passes, wherever it stands; all others do', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string({ unit: 'binary' }), (around, text) => {
        const isBad = !text.isWellFormed() || text.includes('\u0000');
        const clean = faultIn(around) === undefined;
        for (const value of [text, [around, text], { around, deep: [{ text }] }, { around, [`k${text}`]: 1 }])
          expect(faultIn(value) !== undefined).toBe(isBad || (!clean && value !== text));
        expect(isStorable(text)).toBe(!isBad);
      }),
    );
    fc.assert(fc.property(fc.jsonValue(), (value) => JSON.stringify(value).includes('__proto__') || !faultIn(value)));
  });

  it('case V29: numbers that JSON cannot express, bytes, and names that are no data do not pass', () => {
    for (const value of [JSON.parse('[1e400]'), [Buffer.from('x')], JSON.parse('{"__proto__":1}')])
      expect(faultIn(value)).toMatchObject({ kind: 'unstorable' });
    let deep: unknown = 1;
    for (let depth = 0; depth < MAX_DEPTH; depth++) deep = [deep];
    expect(faultIn(deep)).toBeUndefined();
    expect(faultIn([deep])).toEqual({ kind: 'too-deep' });
  });

  it('case R13: a refusal names the fields that the schema knows, and no word of the sender', () => {
    const schema = z.strictObject({
      texts: z.record(z.string().regex(/^[a-z]{2}$/), z.string().max(5)).optional(),
      to: z.union([z.object({ rooms: z.array(z.object({ id: z.string() })) }), z.literal('all')]).optional(),
    });
    const secret = 'MY-SECRET-KEY';
    const cases: readonly (readonly [unknown, string])[] = [
      [{ texts: { [secret]: 'x' } }, 'texts: '],
      [{ texts: { en: secret } }, 'texts: '],
      [{ [secret]: 1 }, 'request: '],
      [{ to: { rooms: [{ id: `${secret}\ud800` }] } }, 'to.rooms.0.id: '],
      [{ to: { [`${secret}\u0000`]: 1 } }, 'to: '],
      [{ texts: { [secret]: '\ud800' } }, 'texts: '],
    ];
    for (const [value, name] of cases) {
      const { code, message } = refusalOf(schema, value);
      expect([code, message]).toEqual([201, expect.stringContaining(`the request is not valid: ${name}`)]);
      expect(message).not.toContain('SECRET');
    }
    expect(refusalOf(commandSchema, { id: 'x\ud800', type: 'a', data: {} }).message).toContain('id: ');
  });

  it('case V27: a channel name has one spelling', () => {
    for (const name of ['session/s1/questions', 'me/a-1', 'me/mail@example.org', 'schedule'])
      expect(channelName.safeParse(name).success).toBe(true);
    for (const name of ['session/s1/questions/../desk', 'a//b', 'a/', './a', 'a/.', '..', 'session%2Fs1', '/a'])
      expect(channelName.safeParse(name).success).toBe(false);
  });

  it('case V50: bytes that are no UTF-8 are not made text, so that no two names become one', () => {
    expect(() => decodeUtf8(Buffer.from([0xff, 0x31]))).toThrow('not valid');
    expect(() => decodeUtf8(Buffer.from([0xed, 0xa0, 0x80]))).toThrow('not valid');
    fc.assert(fc.property(fc.string(), (text) => decodeUtf8(Buffer.from(text)) === text));
    expect(decodeUtf8(Buffer.from('\ufeffid'))).toBe('\ufeffid');
  });
});
