/** What clients may send: bounded in size, count and depth before anything looks at it. */
import { z } from 'zod';
import { Refusal } from './refusals.js';
import { PROTOCOL_VERSION } from './wire.js';

export const MAX_DEPTH = 32;
export const MAX_CHANNELS = 100;

export const channelName = z
  .string()
  .max(200)
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_/.:@-]*$/, 'letters, digits and _ / . : @ -');
const cursor = z.tuple([z.string().max(64), z.int().min(0)]).nullable();

const traceparent = z.string().regex(/^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/);

export const handshakeSchema = z.object({
  protocol: z.literal(PROTOCOL_VERSION),
  conference: z.string().min(1).max(64),
  class: z.enum(['screen', 'desk', 'phone']),
  token: z.string().min(1).max(4_096),
  // Judged as a subscription: a name that is not valid is no reason to refuse the connection.
  channels: z.unknown().optional().describe('what to follow from the start, as in `subscribe`; `subscribed` answers'),
});

export const subscribeSchema = z.object({
  channels: z
    .record(channelName, cursor)
    .refine((channels) => Object.keys(channels).length <= MAX_CHANNELS, `at most ${MAX_CHANNELS} channels`),
});

export const unsubscribeSchema = z.object({ channels: z.array(channelName).max(MAX_CHANNELS) });

export const commandSchema = z.object({
  id: z.string().min(1).max(100),
  type: z.string().regex(/^[a-z][a-z-]{0,59}$/, 'lower case letters and hyphens'),
  data: z.record(z.string(), z.unknown()),
  reason: z
    .string()
    .trim()
    .min(1)
    .max(500)
    // Neither can be stored: the audit keeps it as it is.
    .refine((value) => value.isWellFormed() && !value.includes('\u0000'), 'has characters that are none')
    .optional(),
  after: z.int().min(0).optional(),
  traceparent: traceparent.optional(),
});

export const shownSchema = z.object({
  channel: channelName,
  to: z.int().min(0),
  appendedAt: z.int().min(0),
  traceparent: traceparent.optional(),
  took: z.int().min(0).max(10_000),
});

/**
 * @returns the value, checked
 * @throws Refusal naming fields and rules, never values: input is not echoed
 */
export function parseBounded<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  if (!isShallow(value)) throw new Refusal('too-deep');
  if (typeof value !== 'object' || value === null) throw new Refusal('malformed');
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new Refusal('invalid', describeIssues(result.error));
}

/** Fields whose keys are the sender's own words. */
const RECORDS: ReadonlySet<PropertyKey> = new Set(['channels', 'counts']);

export function describeIssues(error: z.ZodError): string {
  const complaints = error.issues.slice(0, 5).map(({ path, message }) => {
    const record = path.findIndex((segment) => RECORDS.has(segment));
    const known = path.slice(0, record === -1 ? 4 : record + 1).join('.');
    return `${known.slice(0, 80) || 'request'}: ${message.slice(0, 120)}`;
  });
  return `the request is not valid: ${complaints.join('; ')}`;
}

/** Without recursion: the depth is what is not trusted. */
function isShallow(value: unknown): boolean {
  let level: readonly unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth >= MAX_DEPTH) return false;
    const next: unknown[] = [];
    for (const one of level) {
      if (typeof one !== 'object' || one === null) continue;
      for (const inner of Object.values(one)) if (typeof inner === 'object' && inner !== null) next.push(inner);
    }
    level = next;
  }
  return true;
}
