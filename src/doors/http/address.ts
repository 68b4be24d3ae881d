/**
 * A request's address as it came over the wire, checked before anything normalizes or loosely decodes it: two spellings of one address
 * would be two names for what a role may or may not read.
 */
import type { IncomingMessage } from 'node:http';
import { defineLimit } from '#libs/limits';
import { isPlain, Refusal } from '#libs/protocol';

const MAX_LENGTH = defineLimit({
  name: 'http.address.length',
  value: 4_096,
  unit: 'characters',
  beyond: 'the request is refused with 205; with its headers beyond 16 kB the HTTP parser refuses it with 205',
});
/** Channel names need no escapes: with one, a name would have a second spelling. */
const CHANNEL = /^\/v1\/conferences\/[^/]+\/(channels|older)\//i;

/** @throws Refusal too-large, malformed */
export function checkAddress({ url = '' }: Pick<IncomingMessage, 'url'>): void {
  if (url.length > MAX_LENGTH) throw new Refusal('too-large', 'the address is too long');
  const [path = '', ...query] = url.split('?');
  const segments = path.split('/');
  if (segments[0] !== '' || segments.slice(1, -1).includes('')) throw unreadable();
  if (CHANNEL.test(path) && path.includes('%'))
    throw new Refusal('malformed', 'a channel name has one spelling, without percent signs');
  for (const segment of segments.map(decode)) if (segment === '.' || segment === '..') throw unreadable();
  for (const part of query.join('?').replaceAll('+', ' ').split(/[&=]/)) decode(part);
}

function decode(part: string): string {
  try {
    const text = decodeURIComponent(part);
    if (isPlain(text)) return text;
  } catch {
    // Said below: what is escaped wrongly and what stands for no text are one mistake.
  }
  throw unreadable();
}

const unreadable = (): Refusal => new Refusal('malformed', 'the address cannot be read, or is not in its one spelling');
