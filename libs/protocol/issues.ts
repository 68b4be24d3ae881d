/** What a schema refuses, in words that name fields of ours and nothing that the sender wrote: neither values nor unknown names. */

import type { z } from 'zod';
import { defineLimit } from '#libs/limits';

const MAX_ISSUES = defineLimit({
  name: 'wire.refusal.issues',
  value: 5,
  unit: 'items',
  beyond: 'further faults are not named',
});
const MAX_MESSAGE = defineLimit({
  name: 'wire.refusal.issue',
  value: 120,
  unit: 'characters',
  beyond: 'the sentence is cut',
});

/** Zod's own words for these two quote the sender's. */
const MESSAGES: Readonly<Record<string, string>> = {
  unrecognized_keys: 'has fields that are not known',
  invalid_key: 'has a name that is not valid',
};

export function describeIssues(schema: z.ZodType, error: z.ZodError): string {
  const complaints = error.issues
    .slice(0, MAX_ISSUES)
    .map(
      ({ code, path, message }) =>
        `${nameOf(schema, path) || 'request'}: ${MESSAGES[code] ?? message.slice(0, MAX_MESSAGE)}`,
    );
  return `the request is not valid: ${complaints.join('; ')}`;
}

/** The part of the path that the schema itself names, dotted; '' if it names none of it. */
export function nameOf(schema: z.ZodType, path: readonly PropertyKey[]): string {
  const known: string[] = [];
  let candidates = alternatives(schema);
  for (const segment of path) {
    const inner = candidates.flatMap((candidate) => childOf(candidate, segment));
    if (inner.length === 0) break;
    known.push(String(segment));
    candidates = inner.flatMap(alternatives);
  }
  return known.join('.');
}

interface Definition {
  readonly type: string;
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly element?: z.ZodType;
  readonly items?: readonly z.ZodType[];
  readonly options?: readonly z.ZodType[];
  readonly innerType?: z.ZodType;
  readonly in?: z.ZodType;
}

const definitionOf = (schema: z.ZodType): Definition => schema.def as unknown as Definition;

/** What optional, nullable, default, pipe and union wrap. */
function alternatives(schema: z.ZodType): readonly z.ZodType[] {
  const { options, innerType, in: input } = definitionOf(schema);
  const wrapped = [...(options ?? []), ...(innerType ? [innerType] : []), ...(input ? [input] : [])];
  return wrapped.length === 0 ? [schema] : wrapped.flatMap(alternatives);
}

/** Names in a record are the sender's own: it has no child that is known. */
function childOf(schema: z.ZodType, segment: PropertyKey): readonly z.ZodType[] {
  const { type, shape, element, items } = definitionOf(schema);
  const name = String(segment);
  if (type === 'object' && shape && Object.hasOwn(shape, name)) return [shape[name] as z.ZodType];
  if (!/^\d{1,9}$/.test(name)) return [];
  if (type === 'array' && element) return [element];
  const item = items?.[Number(name)];
  return type === 'tuple' && item ? [item] : [];
}
