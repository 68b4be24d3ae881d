import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { commandIdOf, eventIdOf } from '../ids.js';
import { packHeaders, unpackHeaders } from './packed-headers.js';

const COMMAND = commandIdOf('c', 'ann', '1');
const vote: readonly (readonly [string, string])[] = [
  ['content-type', 'application/json'],
  ['ce_specversion', '1.0'],
  ['ce_id', eventIdOf(COMMAND, 0)],
  ['ce_source', 'hallway/attendee'],
  ['ce_type', 'question-upvoted'],
  ['ce_subject', eventIdOf(COMMAND, 7)],
  ['ce_dataschema', 'hallway:question-upvoted/1'],
  ['ce_stream', 'session/s1'],
  ['ce_actor', 'voter-17'],
  ['ce_actorrole', 'attendee'],
  ['ce_commandid', COMMAND],
  ['ce_index', '0'],
  ['ce_count', '1'],
  ['traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
];
const headersOf = (entries: Iterable<readonly [string, string | Uint8Array]>) =>
  new Map(
    [...entries].map(([name, value]) => [name, typeof value === 'string' ? Buffer.from(value) : Buffer.from(value)]),
  );
const plain = (headers: ReadonlyMap<string, Buffer>) =>
  [...headers].map(([name, value]) => [name, value.toString('hex')]);

describe('packed headers', () => {
  it('case V17: those of a vote take less than a third of what they say, and are read back exactly', () => {
    const headers = headersOf(vote);
    const packed = packHeaders(headers);
    expect(plain(unpackHeaders(packed))).toEqual(plain(headers));
    const said = vote.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
    expect(packed.length).toBeLessThan(said / 3);
  });

  it('any headers are read back exactly, in their order: values near the usual ones, and bytes that are no text, too', () => {
    const name = fc.oneof(
      fc.constantFrom(...vote.map(([known]) => known)),
      fc.string({ minLength: 1, unit: 'grapheme' }),
    );
    const value = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.constantFrom(...vote.map(([, said]) => said)),
      fc.string({ unit: 'grapheme' }),
      fc.uuid(),
      fc.constantFrom('', '1', '01', 'hallway:question-upvoted/01', 'hallway:x/9', '00-x', COMMAND.toUpperCase()),
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(name, value)),
        fc.shuffledSubarray([...vote]),
        fc.boolean(),
        (some, known, first) => {
          const headers = headersOf(first ? [...some, ...known] : [...known, ...some]);
          expect(plain(unpackHeaders(packHeaders(headers)))).toEqual(plain(headers));
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('bytes that end too early, or that a newer program wrote, are an error and no headers', () => {
    const packed = packHeaders(headersOf(vote));
    const complete = plain(unpackHeaders(packed));
    for (let length = 1; length < packed.length; length++) {
      const read = () => plain(unpackHeaders(packed.subarray(0, length)));
      const answer = (() => {
        try {
          return read();
        } catch (error) {
          return error instanceof RangeError ? [] : complete;
        }
      })();
      expect(answer.length).toBeLessThan(complete.length);
    }
    expect(() => unpackHeaders(Buffer.from([0x1f]))).toThrow(RangeError);
    expect(() => unpackHeaders(Buffer.from([0xe1]))).toThrow(RangeError);
  });
});
