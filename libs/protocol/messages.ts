/** What clients may send: bounded in size, count and depth before anything looks at it. */

import { z } from 'zod';
import { defineLimit } from '#libs/limits';
import { isPlain, isStorable, refuseUnstorable } from './input.js';
import { describeIssues } from './issues.js';
import { cleanLine } from './plain-text.js';
import { Refusal } from './refusals.js';
import { PROTOCOL_VERSION } from './wire.js';

export const MAX_CHANNELS = defineLimit({
  name: 'wire.subscribe.channels',
  value: 100,
  unit: 'items',
  beyond: 'the message is refused with 201',
});

/** One spelling: a path that is normalized on its way (`..`, `//`) would be another channel's. */
export const channelName = z
  .string()
  .max(200)
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_/.:@-]*$/, 'letters, digits and _ / . : @ -')
  .refine((name) => !name.split('/').some((part) => part === '' || part === '.' || part === '..'), 'has one spelling');
const cursor = z.tuple([z.string().max(64), z.int().min(0), z.string().max(32).optional()]);

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
    .record(channelName, cursor.nullable())
    .refine((channels) => Object.keys(channels).length <= MAX_CHANNELS, `at most ${MAX_CHANNELS} channels`),
});

export const unsubscribeSchema = z.object({ channels: z.array(channelName).max(MAX_CHANNELS) });

export const commandSchema = z.object({
  id: z.string().min(1).max(100).refine(isPlain, 'has control characters'),
  type: z.string().regex(/^[a-z][a-z-]{0,59}$/, 'lower case letters and hyphens'),
  data: z.record(z.string(), z.unknown()),
  reason: z
    .string()
    .overwrite(cleanLine)
    .min(1)
    .max(500)
    // The audit keeps it as it is.
    .refine(isStorable, 'has characters that cannot be stored')
    .optional(),
  after: z.union([z.int().min(0), cursor]).optional(),
  traceparent: traceparent.optional(),
});

export const mismatchSchema = z.object({ channel: channelName, to: z.int().min(0), again: z.boolean() });

export const shownSchema = z.object({
  channel: channelName,
  to: z.int().min(0),
  appendedAt: z.int().min(0),
  traceparent: traceparent.optional(),
  took: z.int().min(0).max(10_000),
});

/**
 * @param names what else is known of the value's fields, where the schema leaves a part open
 * @returns the value, checked
 * @throws Refusal naming known fields and rules, never values or unknown names: input is not echoed
 */
export function parseBounded<S extends z.ZodType>(schema: S, value: unknown, names: z.ZodType = schema): z.output<S> {
  refuseUnstorable(value, names);
  if (typeof value !== 'object' || value === null) throw new Refusal('malformed');
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new Refusal('invalid', describeIssues(schema, result.error));
}
