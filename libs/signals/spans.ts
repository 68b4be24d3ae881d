/** What every span of the road shares: contexts that travel as text, and links to many causes at once. */

import {
  type Context,
  context,
  isSpanContextValid,
  type Link,
  ROOT_CONTEXT,
  type SpanContext,
  trace,
} from '@opentelemetry/api';
import { defineLimit } from '#libs/limits';

/** As many as the SDK keeps of one span. */
export const MAX_LINKS = defineLimit({
  name: 'telemetry.span.links',
  value: 128,
  unit: 'items',
  beyond: 'further links are left out',
});
const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** undefined: absent, or no W3C traceparent. */
export function spanContextOf(traceparent: string | null | undefined): SpanContext | undefined {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(traceparent ?? '') ?? [];
  if (!traceId || !spanId || !flags) return undefined;
  const found = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true };
  return isSpanContextValid(found) ? found : undefined;
}

export const isSampled = ({ traceFlags }: SpanContext): boolean => (traceFlags & 1) === 1;

export const traceparentOf = ({ traceId, spanId, traceFlags }: SpanContext): string =>
  `00-${traceId}-${spanId}-0${traceFlags & 1}`;

export interface Causes {
  /** The one cause, if there is only one: then the work belongs into its trace. */
  readonly parent: Context;
  readonly links: Link[];
  /** How many there were, though not all are linked. */
  readonly count: number;
}

/**
 * Causes of work done for many at once. In a quiet hall there is one, and its trace holds all that came of it; in a batch there are
 * many, and each is linked (sampled ones only, for they are the ones that can be looked at; others only where there is none, so that the
 * sampler knows what it is that it judges).
 */
export function causesOf(traceparents: Iterable<string | null | undefined>): Causes {
  const found = new Map<string, SpanContext>();
  for (const text of traceparents) {
    const one = text && !found.has(text) ? spanContextOf(text) : undefined;
    if (text && one) found.set(text, one);
  }
  const all = [...found.values()];
  const sampled = all.filter(isSampled);
  const [only] = all;
  return {
    parent: only && all.length === 1 ? trace.setSpanContext(ROOT_CONTEXT, only) : ROOT_CONTEXT,
    links: (sampled.length > 0 ? sampled : all).slice(0, MAX_LINKS).map((cause) => ({ context: cause })),
    count: all.length,
  };
}

/** Runs work whose statements are no spans of their own: ten per transaction would bury the one that tells what was done. */
export const unobserved = <T>(work: () => Promise<T>): Promise<T> =>
  context.with(trace.deleteSpan(context.active()), work);
