/** I2: one plan, one transaction. */
import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type pg from 'pg';
import { inTwoTrips, isDataError, isTransient } from '#libs/postgres';
import { causesOf, recorded, unobserved } from '#libs/signals';
import { type Advance, type Claim, compareAndSwap, Fenced, type Generation, ownsIt } from './checkpoint.js';
import { parkedEvent } from './engine-tables.js';
import type { BatchPlan } from './plan.js';
import { EVENTS_TOPIC, statementsOf } from './statements.js';

const tracer = trace.getTracer('hallway.projector');

export interface BatchWrite {
  readonly pool: pg.Pool;
  readonly generation: Generation;
  readonly claimed: Claim;
  readonly plan: BatchPlan;
  readonly fingerprint: Buffer | null;
  /** When its reading and folding began, milliseconds since 1970: the span tells of the whole. */
  readonly startedAt: number;
  /** Everything is on its way to the database. */
  readonly onSent?: () => void;
  /** How long that took; what is between it and the transaction it waited for the batch before it. Default 0. */
  readonly foldMs?: number;
  /** Topic of the log. Default: `conference.events`. */
  readonly topic?: string;
}

/** Whether the database takes the plan: everything is sent, nothing stays. @throws as `writeBatch` */
export async function rehearseBatch({
  pool,
  generation,
  claimed,
  plan,
  fingerprint,
  topic = EVENTS_TOPIC,
}: Omit<BatchWrite, 'startedAt'>): Promise<void> {
  await unobserved(() =>
    inTwoTrips(pool, {
      guard: compareAndSwap(generation, claimed, { next: plan.next, fingerprint, missingKeys: plan.missingKeys }),
      judge: (rowCount) => ownsIt(claimed, rowCount),
      statements: statementsOf(plan, generation, topic),
      rehearsal: true,
    }),
  );
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
  foldMs = 0,
  topic = EVENTS_TOPIC,
}: BatchWrite): Promise<void> {
  const advance: Advance = { next: plan.next, fingerprint, missingKeys: plan.missingKeys };
  const { parent, links, count } = causesOf(plan.traceparents);
  const attributes = {
    'messaging.operation.type': 'process',
    'messaging.destination.name': topic,
    'messaging.destination.partition.id': String(plan.partition),
    'messaging.batch.message_count': plan.events,
    'hallway.causes': count,
    'hallway.documents': plan.documents.length,
    'hallway.next': Number(plan.next),
    'hallway.fold.ms': Math.round(foldMs),
    // Somebody will ask: exported whatever was sampled.
    ...(putsAside(plan) ? { 'hallway.keep': true } : {}),
  };
  const span = tracer.startSpan(
    'project',
    { kind: SpanKind.CONSUMER, attributes, links, startTime: startedAt },
    parent,
  );
  const started = performance.now();
  try {
    await unobserved(() =>
      inTwoTrips(pool, {
        guard: compareAndSwap(generation, claimed, advance),
        judge: (rowCount) => ownsIt(claimed, rowCount),
        statements: statementsOf(plan, generation, topic),
        ...(onSent ? { onSent } : {}),
      }),
    );
    const took = performance.now() - started;
    span.setAttribute('hallway.commit.ms', Math.round(took));
    recorded.commit.record(took / 1_000);
    recorded.fold.record(foldMs / 1_000);
    recorded.batch.record(plan.events);
  } catch (error) {
    if (error instanceof Fenced) recorded.fences.add(1);
    else recorded.failed.add(1, { why: isDataError(error) ? 'data' : isTransient(error) ? 'transient' : 'other' });
    span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.name : 'unknown' });
    throw error;
  } finally {
    span.end();
  }
}

/** A dead letter of the log, or an event that its stream waits behind (I4). */
const putsAside = ({ deadLetters, rows }: BatchPlan): boolean =>
  deadLetters.length > 0 || rows.some(({ table, row }) => row !== null && table.name === parkedEvent.name);
