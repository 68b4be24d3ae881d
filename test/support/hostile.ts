/** Values, addresses and requests that mean no good, for fast-check. All of a sender's own words have `MARK` in them. */
import fc from 'fast-check';
import { capabilities } from '../../src/conference/capabilities.js';

/** Never to be found in an answer; no channel can be called so, for those are named in answers. */
export const MARK = '!ECHO-ME';

const texts = [
  `${MARK}\ud800`,
  `${MARK}\u0000`,
  `\u202e${MARK}`,
  `${MARK}\u001b[2J`,
  `__proto__`,
  'constructor',
  '../../etc/passwd',
  `${MARK}%00%ff`,
  '',
  ' ',
  `${MARK}${'x'.repeat(20_000)}`,
  `'; drop table event_log; --${MARK}`,
];
const text = fc.oneof(
  fc.constantFrom(`${MARK}\ud800`, `${MARK}\u0000`),
  fc.constantFrom(...texts),
  fc.string({ unit: 'binary', maxLength: 30 }).map((one) => MARK + one),
);
const scalar = fc.oneof(
  text,
  fc.constantFrom(1e308, -1, 0.5, 2 ** 53, Number.MAX_VALUE, true, null, [], {}, { toString: 1 }, { $sealed: {} }),
);
const deep = fc.integer({ min: 20, max: 2_000 }).map((levels) => {
  let value: unknown = MARK;
  for (let level = 0; level < levels; level++) value = level % 2 ? [value] : { [MARK]: value };
  return value;
});

export const hostileValue = fc.oneof(
  { weight: 6, arbitrary: scalar },
  { weight: 3, arbitrary: fc.dictionary(text, scalar, { maxKeys: 3 }) },
  { weight: 1, arbitrary: deep },
);

/** The example with some of its fields replaced, or unknown ones added. */
const spoiled = (example: Readonly<Record<string, unknown>>) =>
  fc
    .tuple(fc.subarray(Object.keys(example)), fc.dictionary(text, hostileValue, { maxKeys: 1 }), hostileValue)
    .map(([fields, more, value]) => ({
      ...example,
      ...Object.fromEntries(fields.map((name) => [name, value])),
      ...more,
    }));

/** Left out: what would end the test's own conference, or somebody in it. */
const SPARED = new Set(['close-conference', 'erase-attendee', 'skip-event']);
const commands = capabilities.flatMap((capability) => capability.commands).filter(({ type }) => !SPARED.has(type));

export const hostileCommand = fc.constantFrom(...commands).chain(({ type, example }) =>
  fc.record(
    {
      id: fc.oneof(fc.uuid(), hostileValue),
      type: fc.oneof({ weight: 8, arbitrary: fc.constant<unknown>(type) }, { weight: 1, arbitrary: hostileValue }),
      data: fc.oneof({ weight: 5, arbitrary: spoiled(example) }, { weight: 1, arbitrary: hostileValue }),
      reason: hostileValue,
      after: hostileValue,
    },
    { requiredKeys: ['id', 'type', 'data'] },
  ),
);

/** Right in all but one place: what is wrong everywhere is refused before it gets far. */
export const almostRight = fc
  .tuple(fc.constantFrom(...commands), fc.uuid(), text, fc.nat())
  .map(([{ type, example }, id, broken, at]) => {
    const fields = Object.keys(example);
    const places = ['id', 'reason', ...fields];
    const place = places[at % places.length] ?? 'id';
    const right = { id, type, data: { ...example } as Record<string, unknown>, reason: 'why' };
    return fields.includes(place) && at % 2
      ? { ...right, data: { ...right.data, [place]: broken } }
      : { ...right, [place]: broken };
  });

/** JSON and what only looks like it; numbers that no program can hold. */
export const hostileBody = fc.oneof(
  hostileCommand.map((command) => JSON.stringify(command)),
  hostileValue.map((value) => JSON.stringify(value)),
  fc.constantFrom(
    `{"id":1e400,"type":"${MARK}","data":{}}`,
    '{"__proto__":{"role":"organizer"}}',
    '['.repeat(10_000),
    `{"${MARK}`,
    `"${'x'.repeat(1_000_000)}"`,
    '\ufeff{}',
    '',
  ),
  fc.string({ unit: 'binary', maxLength: 50 }),
);

const segment = fc.oneof(
  fc.constantFrom('%00', '%E0%A4%A', '..'),
  fc.constantFrom(
    'demo',
    '*',
    '%00',
    '%E0%A4%A',
    '%ed%a0%80',
    '..',
    '%2e%2e',
    'a%2Fb',
    '__proto__',
    '',
    '%',
    `${MARK}?`,
  ),
  fc.constant('x'.repeat(5_000)),
  fc.string({ maxLength: 20 }).map((one) => encodeURIComponent(one.toWellFormed())),
);

/** A route of the interface, as OpenAPI writes it, with something in each of its places. */
export const hostileAddress = (routes: readonly string[]) =>
  fc
    .tuple(
      fc.constantFrom(...routes),
      fc.array(segment, { minLength: 4, maxLength: 4 }),
      fc.array(segment, { maxLength: 3 }),
    )
    .map(([route, parts, query]) => {
      const places = parts[3] === '' || !route.includes('{conference}') ? parts : ['demo', ...parts];
      let at = 0;
      const path = route.replaceAll(/\{\w+\}/g, () => places[at++] ?? '');
      const asked = query.map((one, index) => `${['actor', 'before', 'limit'][index]}=${one}`);
      // What cannot stand in a request line would be another test.
      return `${path}?${asked.join('&')}`.replaceAll(/[^!-~]/g, '');
    });

export const hostileHeaders = fc.subarray(
  [
    'content-type: application/json',
    'content-type: application/json; charset=utf-16',
    'content-type: application/cloudevents+json',
    'content-type: multipart/form-data; boundary=x',
    'content-type: \u00ff',
    'content-encoding: gzip',
    'content-encoding: zstd',
    'expect: 100-continue',
    'expect: x',
    'if-none-match: \u00ff"',
    'ce-id: 1',
    'ce-specversion: 1.0',
    'ce-type: session-ended',
    'ce-source: venue',
    `ce-source: ${MARK}`,
    'traceparent: 00-x',
    'cookie: __proto__=1',
  ],
  { maxLength: 4 },
);
