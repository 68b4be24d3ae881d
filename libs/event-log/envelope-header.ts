/** The envelope of a record, as far as it can be stored: what the read models could not hold is not readable. */
import { isUtf8 } from 'node:buffer';
import { defineLimit } from '#libs/limits';
import { isStorable } from '#libs/protocol';
import { DIGEST } from './digest.js';
import type { Envelope } from './envelope.js';
import type { LogRecord } from './port.js';

/** Bytes of a name that is part of keys: an entry of a Postgres index has at most 2,704, and up to three of them stand in one. */
export const MAX_NAME_BYTES = defineLimit({
  name: 'log.envelope.name.bytes',
  value: 512,
  unit: 'bytes',
  beyond: 'the command is not appended; a record in the log becomes a dead letter',
});
/** Bytes of an attribute that is no part of a key. */
export const MAX_ATTRIBUTE_BYTES = defineLimit({
  name: 'log.envelope.attribute.bytes',
  value: 8_192,
  unit: 'bytes',
  beyond: 'the command is not appended; a record in the log becomes a dead letter',
});
/** The last millisecond of the year 9999: later instants have no RFC 3339 form. */
export const MAX_TIME = defineLimit({
  name: 'log.event.time',
  value: 253_402_300_799_999,
  unit: 'ms',
  beyond: 'the record becomes a dead letter',
});
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** Required, and how many bytes each may have. */
const ATTRIBUTES = {
  ce_id: MAX_NAME_BYTES,
  ce_source: MAX_ATTRIBUTE_BYTES,
  ce_type: MAX_NAME_BYTES,
  ce_subject: MAX_NAME_BYTES,
  ce_actor: MAX_NAME_BYTES,
  ce_actorrole: MAX_NAME_BYTES,
  ce_commandid: MAX_NAME_BYTES,
} as const;
const OPTIONAL = { ce_stream: MAX_NAME_BYTES, ce_answer: MAX_NAME_BYTES, ce_reason: MAX_ATTRIBUTE_BYTES } as const;

/** \u0001 separates the parts of keys in memory (libs/projector/row-keys.ts). */
const isStorableName = (text: string): boolean => isStorable(text) && !text.includes('\u0001');

/** @returns the envelope, or why there is none */
export function readEnvelope(record: LogRecord, partition: number, maxEvents: number): Envelope | string {
  const complaint = complaintOf(record);
  if (complaint) return complaint;
  const text = (name: string): string | undefined => record.headers.get(name)?.toString('utf8') || undefined;
  const number = (name: string): number => (/^\d{1,6}$/.test(text(name) ?? '') ? Number(text(name)) : Number.NaN);
  if (text('ce_specversion') !== '1.0') return 'not a CloudEvent 1.0';
  const [id, source, type, subject, actor, actorRole, commandId] = Object.keys(ATTRIBUTES).map(text);
  if (!id || !source || !type || !subject || !actor || !actorRole || !commandId) return 'attributes are missing';
  if (!UUID.test(commandId)) return 'commandid is not a UUID';
  const version = Number(/\/(\d{1,6})$/.exec(text('ce_dataschema') ?? '')?.[1]);
  const index = number('ce_index');
  const count = number('ce_count');
  if (!Number.isInteger(version) || version < 1) return 'no version in dataschema';
  if (!(index >= 0 && index < count && count <= maxEvents)) return 'no valid place within a command';
  const reason = text('ce_reason');
  const traceparent = text('traceparent');
  const [digest, answer] = [text('ce_digest'), text('ce_answer')];
  return {
    id,
    conference: record.key ?? '',
    position: { partition, offset: record.offset },
    type,
    version,
    source,
    subject,
    stream: text('ce_stream') ?? null,
    time: new Date(record.timestamp).toISOString(),
    actor,
    actorRole,
    commandId,
    index,
    count,
    ...(reason ? { reason } : {}),
    ...(digest && DIGEST.test(digest) ? { digest } : {}),
    ...(answer ? { answer } : {}),
    ...(traceparent && TRACEPARENT.test(traceparent) ? { traceparent } : {}),
  };
}

/** What of the record the database would refuse; asked before an append, too. */
export function complaintOf({
  key,
  headers,
  timestamp,
}: Pick<LogRecord, 'key' | 'headers' | 'timestamp'>): string | undefined {
  if (key === null || key === '') return 'no key';
  if (Buffer.byteLength(key) > MAX_NAME_BYTES) return 'the key is too long';
  // U+FFFD stands for bytes of a Kafka key that were no UTF-8.
  if (!isStorableName(key) || key.includes('\ufffd')) return 'the key has characters that cannot be stored';
  if (!(timestamp >= 0 && timestamp <= MAX_TIME)) return 'no valid time';
  for (const [name, most] of [...Object.entries(ATTRIBUTES), ...Object.entries(OPTIONAL)]) {
    const bytes = headers.get(name);
    if (!bytes) continue;
    if (bytes.length > most) return `${name} is too long`;
    if (!isUtf8(bytes)) return `${name} is not UTF-8`;
    const text = bytes.toString('utf8');
    if (most === MAX_NAME_BYTES ? !isStorableName(text) : !isStorable(text))
      return `${name} has characters that cannot be stored`;
  }
  return undefined;
}
