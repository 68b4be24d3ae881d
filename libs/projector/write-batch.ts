/** I2: one plan, one transaction. */
import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type pg from 'pg';
import { inTransaction } from '#libs/postgres';
import { causesOf, recorded, unobserved } from '#libs/signals';
import { type Advance, type Claim, compareAndSwap, Fenced, type Generation } from './checkpoint.js';
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
}

/** One span for the transaction, in the trace of its one cause or linked to its many (I12). @throws Fenced, and then nothing was written */
export async function writeBatch({
  pool,
  generation,
  claimed,
  plan,
  fingerprint,
  startedAt,
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
      inTransaction(pool, async (client) => {
        await compareAndSwap(client, generation, claimed, advance);
        // One round trip for all: each would wait for a turn of a loop that has sockets to write, too (bench/latency.mjs).
        await Promise.all(
          [...statementsOf(plan, generation)].map(({ text, values }) => client.query(text, [...values])),
        );
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
