/** The last station of the road: a client says that it has shown what was written to it. */

import { ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import { defineLimit } from '#libs/limits';
import { parseBounded, Refusal, shownSchema } from '#libs/protocol';
import { recorded, spanContextOf } from '#libs/signals';
import type { Follower } from './follower.js';
import { toldName, wasCarried } from './writing/tick.js';

const tracer = trace.getTracer('hallway.doors');
/** A clock that stood still or a liar: more would only spoil the sum. */
const MAX_MS = defineLimit({
  name: 'telemetry.shown.time',
  value: 120_000,
  unit: 'ms',
  beyond: 'a report of a later showing is not counted',
});

/**
 * By the server's clock alone, so that a phone's clock does no harm: one uplink more than the truth.
 * @throws Refusal invalid: not readable, or never written to this socket
 */
export function takeShown(follower: Follower, message: unknown): void {
  const { channel, to, appendedAt, took, traceparent } = parseBounded(shownSchema, message);
  if ((follower.channels.get(channel)?.to ?? -1) < to) throw new Refusal('invalid', 'that was not written to you');
  const now = Date.now();
  recorded.eventToScreen.record(Math.min(Math.max(now - appendedAt, 0), MAX_MS) / 1_000, {
    stage: 'shown',
    class: follower.cls,
  });
  const cause = traceparent && wasCarried(traceparent) ? spanContextOf(traceparent) : undefined;
  if (!cause) return;
  tracer
    .startSpan(
      'shown',
      {
        kind: SpanKind.CONSUMER,
        startTime: now - took,
        attributes: { 'hallway.class': follower.cls, 'hallway.channel': toldName(channel), 'hallway.to': to },
      },
      trace.setSpanContext(ROOT_CONTEXT, cause),
    )
    .end(now);
}
