/** What the gateway sends, as schemas: for the published contract and the tests that hold the gateway to it. Shapes are in `wire.ts`. */
import { z } from 'zod';
import type { ClientEvents, ServerEvents } from './wire.js';

const count = z.int().min(0);

export const refusalSchema = z.object({
  code: z.int().min(100).max(399).describe('1xx: try again; 2xx: mend the request; 3xx: not allowed'),
  message: z.string(),
  retryAfter: count.optional().describe('milliseconds'),
});

const refused = z.object({ refusal: refusalSchema });

export const frameSchema = z.object({
  epoch: z.string(),
  channel: z.string(),
  from: count.nullable().describe('null: a snapshot, which always replaces'),
  to: count,
  proof: z.string().optional().describe('of the history up to `to`; opaque'),
  entries: z
    .array(z.tuple([z.string(), count, z.record(z.string(), z.unknown()).nullable()]))
    .describe('[key, version, body]; a null body: the document is gone'),
  marks: z.array(z.string()).optional().describe('of the entries, in their order; for the sum (SPEC B4)'),
  traceparent: z.string().optional(),
  appendedAt: count.optional().describe('when its oldest event was appended, milliseconds since 1970'),
});

export const beaconSchema = z.object({
  epoch: z.string(),
  at: count.describe('server time, milliseconds since 1970'),
  head: count,
  proof: z.string().optional().describe('of the history up to `head`; opaque'),
  age: count.describe('milliseconds since the pipeline was last known complete'),
  interval: count.describe('milliseconds until the next beacon is due'),
  spread: count
    .optional()
    .describe(
      'milliseconds over which clients come back if the connection ends without a word while beacons are fresh',
    ),
  channels: z.record(z.string(), count).describe('last change of each followed channel that is shared'),
  own: z
    .record(z.string(), count)
    .optional()
    .describe('last change of each followed private channel: if one changed since the last beacon, and once a minute'),
  sums: z.record(z.string(), count).optional().describe('sums of what the shared channels hold at `head` (SPEC B4)'),
  ownSums: z.record(z.string(), count).optional().describe('the same of the channels in `own`'),
});

export const ticketSchema = z.object({
  ticket: z.string().describe('for `ticket` in the query of the next upgrade; opens a place and nothing else'),
});

export const drainSchema = z.object({ within: count.describe('milliseconds over which clients spread their leaving') });

export const subscribeAckSchema = z.record(z.string(), z.union([z.literal('ok'), refused]));

export const commandAckSchema = z.union([
  z.object({
    position: count.nullable(),
    outcome: z.enum(['applied', 'no-effect', 'held', 'pending']),
    because: z.string().optional(),
    subject: z.string().optional(),
    epoch: z.string().optional().describe('in which the position is counted'),
  }),
  refused,
]);

const subscribeAnswer = z.union([subscribeAckSchema, refused]);
const done = z.union([z.object({ ok: z.literal(true) }), refused]);

/** Of every message that the gateway sends, by its name, and of every answer, by the message's name. */
export const SENT = {
  frame: frameSchema,
  beacon: beaconSchema,
  drain: drainSchema,
  subscribed: subscribeAnswer,
  refused: refusalSchema,
  ticket: ticketSchema,
} as const satisfies Record<keyof ServerEvents, z.ZodType>;
export const ANSWERS = {
  subscribe: subscribeAnswer,
  unsubscribe: done,
  shown: done,
  mismatch: done,
  command: commandAckSchema,
} as const satisfies Record<keyof ClientEvents, z.ZodType>;
