/**
 * What no way in accepts, whatever it is for: text that cannot be stored or sent on (half a surrogate pair, NUL), numbers that JSON
 * cannot express, bytes, and nesting without end. Every entry point asks it before its own schema, and the journal before it appends:
 * one such string in the log would stop its stream.
 */

import type { z } from 'zod';
import { defineLimit } from '#libs/limits';
import { nameOf } from './issues.js';
import { Refusal } from './refusals.js';

/** Levels of objects and arrays in one another. */
export const MAX_DEPTH = defineLimit({
  name: 'wire.message.depth',
  value: 32,
  unit: 'levels',
  beyond: 'the message is refused with 206',
});

/** C0 without tab and line breaks, DEL, and the invisible marks that change the direction of a text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: refusing them is the point
const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\u202a-\u202e\u2066-\u2069]/;

/** Postgres takes neither NUL nor half a surrogate pair, and two different halves would become one text in UTF-8. */
export const isStorable = (text: string): boolean => text.isWellFormed() && !text.includes('\u0000');

/** Storable, and nothing in it acts on a terminal or disguises what it says. */
export const isPlain = (text: string): boolean => isStorable(text) && !CONTROLS.test(text);

export type InputFault =
  | { readonly kind: 'too-deep' }
  /** Where, in the sender's words: not to be echoed. */
  | { readonly kind: 'unstorable'; readonly path: readonly string[] };

interface Place {
  readonly value: object;
  readonly name?: string;
  readonly parent?: Place;
}

/** Without recursion: the depth is what is not trusted. */
export function faultIn(value: unknown): InputFault | undefined {
  if (isUnstorable(value)) return { kind: 'unstorable', path: [] };
  let level: readonly Place[] = typeof value === 'object' && value !== null ? [{ value }] : [];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth >= MAX_DEPTH) return { kind: 'too-deep' };
    const next: Place[] = [];
    for (const place of level) {
      for (const [name, inner] of Object.entries(place.value)) {
        if (name === '__proto__' || !isStorable(name) || isUnstorable(inner))
          return { kind: 'unstorable', path: [...pathOf(place), name] };
        if (typeof inner === 'object' && inner !== null) next.push({ value: inner, name, parent: place });
      }
    }
    level = next;
  }
  return undefined;
}

/** @throws Refusal too-deep, or invalid with the path as far as the schema knows it: unknown names are not echoed */
export function refuseUnstorable(value: unknown, schema?: z.ZodType): void {
  const fault = faultIn(value);
  if (!fault) return;
  if (fault.kind === 'too-deep') throw new Refusal('too-deep');
  const name = (schema && nameOf(schema, fault.path)) || 'request';
  throw new Refusal('invalid', `the request is not valid: ${name}: has characters or numbers that cannot be stored`);
}

/** Text that came as bytes. Loosely decoded, two different names become one. @throws TypeError where they are not UTF-8 */
export const decodeUtf8 = (bytes: Uint8Array): string => decoder.decode(bytes);
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function isUnstorable(value: unknown): boolean {
  if (typeof value === 'string') return !isStorable(value);
  if (typeof value === 'number') return !Number.isFinite(value);
  // A socket can carry bytes; no message of ours has any.
  return ArrayBuffer.isView(value) || value instanceof ArrayBuffer;
}

function pathOf(place: Place): string[] {
  const path: string[] = [];
  for (let at: Place | undefined = place; at?.name !== undefined; at = at.parent) path.unshift(at.name);
  return path;
}
