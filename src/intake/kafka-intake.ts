/**
 * Records of the intake topic → commands. What can never be taken becomes a dead letter with its reason; what cannot be taken now waits in
 * its place, and its partition with it: the records of a conference keep their order.
 */

import { setTimeout as wait } from 'node:timers/promises';
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { Kafka as CloudEventsKafka } from 'cloudevents';
import type { IncomingRecord, Later } from '#libs/event-log';
import { defineLimit } from '#libs/limits';
import type { Logger } from '#libs/postgres';
import { decodeUtf8, Refusal } from '#libs/protocol';
import { spanContextOf } from '#libs/signals';
import { slug } from '../conference/kernel.js';
import type { ForeignEvent, Intake } from './intake.js';
import { readStructured } from './structured.js';

export interface KafkaIntakePorts {
  readonly intake: Intake;
  readonly keep: (record: IncomingRecord, reason: string) => Promise<void>;
  readonly logger: Logger;
}

const tracer = trace.getTracer('hallway.intake');
const MAX_BYTES = defineLimit({
  name: 'intake.event.size',
  value: 64 * 1024,
  unit: 'bytes',
  beyond: 'the record becomes a dead letter',
});
/** Of an event's attributes among a record's headers (CloudEvents, Kafka binding). */
const PREFIX = 'ce_';
const prefixed = (name: string): string => PREFIX + name;
const RETRY_MS = 500;
/** A record that fails for a reason of ours would fail for ever, and hold all that come after it. */
const INTERNAL_TRIES = defineLimit({
  name: 'intake.tries',
  value: 3,
  unit: 'items',
  beyond: 'the record becomes a dead letter',
});

/**
 * @returns undefined once the record is a command that was taken, or a dead letter; else when to try it again
 * @throws at the signal's end, or if a dead letter cannot be kept: the record is dealt with again then
 */
export async function takeRecord(
  ports: KafkaIntakePorts,
  record: IncomingRecord,
  signal: AbortSignal,
): Promise<Later | undefined> {
  for (let attempt = 1; ; attempt++) {
    const refusal = await refusalOf(ports, record);
    if (!refusal) return undefined;
    const { code, message } = refusal.body();
    if (isFinal(refusal) || (refusal.refusal === 'internal' && attempt >= INTERNAL_TRIES)) {
      await keep(ports, record, { code, message });
      return undefined;
    }
    if (refusal.refusal !== 'internal')
      return { retryMs: refusal.retryAfter ?? RETRY_MS, reason: `${code} ${message}` };
    await wait(RETRY_MS, undefined, { signal });
  }
}

/**
 * What is held for repair is held for hours: it must not hold back what came after it, which belongs to other streams, too. An operator
 * sends it again once the stream goes on.
 */
const isFinal = (refusal: Refusal): boolean => refusal.code >= 200 || refusal.refusal === 'held';

async function refusalOf({ intake, logger }: KafkaIntakePorts, record: IncomingRecord): Promise<Refusal | undefined> {
  try {
    if (record.unreadable) throw new Refusal('malformed', record.unreadable);
    const { event, conference } = read(record);
    await intake.accept(event, conference, record.readAt);
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error;
    logger.error({ err: error }, 'a record of the intake failed');
    return new Refusal('internal');
  }
}

/** In its producer's trace, and exported whatever the sampler said: it is what that producer will ask about. */
async function keep(
  { logger, keep: store }: KafkaIntakePorts,
  record: IncomingRecord,
  { code, message }: { readonly code: number; readonly message: string },
): Promise<void> {
  const { partition, offset } = record;
  const producer = spanContextOf(traceparentOf(record));
  const span = tracer.startSpan(
    'dead letter',
    {
      kind: SpanKind.CONSUMER,
      attributes: {
        'messaging.destination.partition.id': String(partition),
        'messaging.kafka.offset': Number(offset),
        'hallway.outcome': String(code),
        'hallway.keep': true,
      },
    },
    producer ? trace.setSpanContext(ROOT_CONTEXT, producer) : ROOT_CONTEXT,
  );
  span.setStatus({ code: SpanStatusCode.ERROR });
  try {
    logger.warn({ code, partition, offset: String(offset) }, 'a dead letter');
    await store(record, `${code} ${message}`);
  } finally {
    span.end();
  }
}

/** @throws Refusal too-large, invalid, malformed */
function read(record: IncomingRecord): { readonly event: ForeignEvent; readonly conference: string } {
  const { key, value } = record;
  if (!value || value.length === 0) throw new Refusal('malformed', 'the record has no value');
  if (value.length > MAX_BYTES) throw new Refusal('too-large');
  const conference = slug.safeParse(key && textOf(key, 'the key'));
  if (!conference.success) throw new Refusal('invalid', 'the key is to be the id of a conference');
  const event = eventOf(conference.data, attributesOf(record), textOf(value, 'the value'));
  if (event.conference !== undefined && event.conference !== conference.data)
    throw new Refusal('invalid', 'the key is another conference than the event says');
  return { event: { ...event, traceparent: event.traceparent ?? traceparentOf(record) }, conference: conference.data };
}

/** Loosely decoded, two ids would become one, and the second event would never act. @throws Refusal malformed */
function textOf(bytes: Buffer, what: string): string {
  try {
    return decodeUtf8(bytes);
  } catch {
    throw new Refusal('malformed', `${what} is not UTF-8`);
  }
}

/** Those that a refusal may name. */
const ATTRIBUTES: ReadonlySet<string> = new Set([
  'content-type',
  ...['id', 'source', 'type', 'specversion', 'subject', 'time', 'dataschema', 'datacontenttype'].map(prefixed),
  ...['actor', 'conference', 'traceparent', 'tracestate'].map(prefixed),
]);

/** What is read of a record's headers; those of other programs may be any bytes. */
function attributesOf({ headers }: IncomingRecord): Readonly<Record<string, string>> {
  const read = Object.entries(headers).filter(([name]) => ATTRIBUTES.has(name) || name.startsWith(PREFIX));
  const what = (name: string) => (ATTRIBUTES.has(name) ? `the header ${name}` : 'a header of the event');
  return Object.fromEntries(read.map(([name, bytes]) => [name, textOf(bytes, what(name))]));
}

/** Clients that trace by themselves set the record's header and know nothing of CloudEvents. */
const traceparentOf = ({ headers }: IncomingRecord): string | undefined => headers.traceparent?.toString('latin1');

/** Binary by its headers; everything else is read as structured, for producers that cannot set headers. */
function eventOf(key: string, headers: Readonly<Record<string, string>>, text: string): ForeignEvent {
  try {
    if (!('ce_id' in headers)) return readStructured(text);
    const event = CloudEventsKafka.toEvent({ key, headers, value: text, body: text } as never);
    const { data } = event as unknown as ForeignEvent;
    return { ...(event as unknown as ForeignEvent), data: typeof data === 'string' ? JSON.parse(data) : data };
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal('malformed', 'this is not a CloudEvent 1.0, binary or structured, with JSON data');
  }
}
