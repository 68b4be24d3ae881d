/**
 * What a command says, in eight bytes, so that an id which is used again for something else is recognized. They lie in the log in the
 * clear: over what people wrote they are made with the actor's key, for a guess of a text could be confirmed by them after its
 * author was erased (I14).
 */
import { createHash, createHmac } from 'node:crypto';

const BYTES = 8;
export const DIGEST = /^[A-Za-z0-9_-]{11}$/;

export const digestOf = (content: string, key?: Buffer): string =>
  (key ? createHmac('sha256', key) : createHash('sha256'))
    .update(content)
    .digest()
    .subarray(0, BYTES)
    .toString('base64url');

/** The same text for the same value, in whatever order its fields were given. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
