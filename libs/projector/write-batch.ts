/** I2: one plan, one transaction. */
import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type pg from 'pg';
import { inTwoTrips } from '#libs/postgres';
import { causesOf, recorded, unobserved } from '#libs/signals';
import { type Advance, type Claim, compareAndSwap, Fenced, type Generation, ownsIt } from './checkpoint.js';
import type { BatchPlan } from './plan.js';
import { EVENTS_TOPIC, statementsOf } from './statements.js';

const tracer = trace.getTracer('hallway.projector');

export interface BatchWrite {
  readonly pool: pg.Pool;
  readonly generation: Generation;
  readonly claimed: Claim;
  readonly plan: BatchPlan;
  readonly fingerprint: Buffer | null;
  /** When its reading and folding began, milliseconds since 1970: the span and the metric tell of the whole. */
  readonly startedAt: number;
  /** Everything is on its way to the database. */
  readonly onSent?: () => void;
}

/** One span for the transaction, in the trace of its one cause or linked to its many (I12). @throws Fenced, and then nothing was written */
export async function writeBatch({
  pool,
  generation,
  claimed,
  plan,
  fingerprint,
  startedAt,
  onSent,
}: BatchWrite): Promise<void> {
  const advance: Advance = { next: plan.next, fingerprint, missingKeys: plan.missingKeys };
  const { parent, links, count } = causesOf(plan.traceparents);
  const attributes = {
    'messaging.operation.type': 'process',
    'messaging.destination.name': EVENTS_TOPIC,
    'messaging.destination.partition.id': String(plan.partition),
    'messaging.batch.message_count': plan.events,
    'hallway.causes': count,
    'hallway.documents': plan.documents.length,
    'hallway.next': Number(plan.next),
    'hallway.fold.ms': Date.now() - startedAt,
  };
  const span = tracer.startSpan(
    'project',
    { kind: SpanKind.CONSUMER, attributes, links, startTime: startedAt },
    parent,
  );
  try {
    await unobserved(() =>
      inTwoTrips(pool, {
        guard: compareAndSwap(generation, claimed, advance),
        judge: (rowCount) => ownsIt(claimed, rowCount),
        statements: statementsOf(plan, generation),
        ...(onSent ? { onSent } : {}),
      }),
    );
    recorded.commit.record((Date.now() - startedAt) / 1_000);
    recorded.batch.record(plan.events);
  } catch (error) {
    if (error instanceof Fenced) recorded.fences.add(1);
    span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.name : 'unknown' });
    throw error;
  } finally {
    span.end();
  }
}
