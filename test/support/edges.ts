/** Values at the limits of a schema, found by asking the schema: what it accepts is to be storable, however large or odd. */
import type { z } from 'zod';

type Value = unknown;

const LENGTHS = [10_000, 4_000, 2_000, 1_000, 500, 300, 200, 120, 100, 64, 60, 50, 35, 20, 10, 8, 4, 2, 1];
const LETTERS = ['x', '\u{1f600}', '"', '\\', '\n', 'e\u0301', '\ufffd', '\uffff'];
const TEXTS = [
  '1970-01-01T00:00:00.000Z',
  '2100-12-31T23:59:59.999Z',
  '2026-11-23T09:00:00+14:00',
  'constructor',
  '__proto__',
  '-',
  '_',
  'all',
  '00:00',
  '23:59',
];
const NUMBERS = [0, 1, -1, 0.1, 5e-324, 1e308, 2 ** 31 - 1, 2 ** 31, 2 ** 53 - 1, 1e9, -1e9, 10_000, 1_000_000];
const OTHERS: readonly Value[] = [null, true, false, [], {}];

/** Data of the event with one field at a limit; each is accepted by the schema. */
export function edgesOf(schema: z.ZodObject, example: object): readonly Record<string, Value>[] {
  const whole = { ...Object.fromEntries(Object.keys(schema.shape).map((name) => [name, undefined])), ...example };
  const found = new Map<string, Record<string, Value>>();
  const accepts = (data: object): boolean => schema.safeParse(data).success;
  const keep = (path: readonly string[], value: Value): boolean => {
    const data = withValue(whole, path, value) as Record<string, Value>;
    if (!accepts(data)) return false;
    const parsed = JSON.parse(JSON.stringify(schema.parse(data))) as Record<string, Value>;
    found.set(JSON.stringify(parsed), parsed);
    return true;
  };
  for (const path of pathsOf(whole)) {
    for (const value of [...TEXTS, ...NUMBERS, ...OTHERS]) keep(path, value);
    for (const letter of LETTERS) LENGTHS.some((length) => keep(path, letter.repeat(length)));
    LENGTHS.some((length) => keep(path, `https://example.org/${'x'.repeat(length)}`));
    const inner = at(whole, path);
    const element = Array.isArray(inner) ? (inner[0] ?? 'x') : 'x';
    LENGTHS.some((length) =>
      keep(
        path,
        Array.from({ length }, (_, index) => (typeof element === 'string' ? `${element}${index}` : element)),
      ),
    );
    LENGTHS.some((length) =>
      keep(
        path,
        Array.from({ length }, () => element),
      ),
    );
  }
  return [...found.values()];
}

function* pathsOf(value: Value, path: readonly string[] = []): Iterable<readonly string[]> {
  if (path.length > 0) yield path;
  if (typeof value === 'object' && value !== null)
    for (const [name, inner] of Object.entries(value)) yield* pathsOf(inner, [...path, name]);
}

const at = (value: Value, path: readonly string[]): Value =>
  path.reduce<Value>((inner, name) => (inner as Record<string, Value> | undefined)?.[name], value);

function withValue(value: Value, [name, ...rest]: readonly string[], replaced: Value): Value {
  if (name === undefined) return replaced;
  if (Array.isArray(value))
    return value.map((inner, index) => (String(index) === name ? withValue(inner, rest, replaced) : inner));
  return { ...(value as object), [name]: withValue((value as Record<string, Value>)[name], rest, replaced) };
}
