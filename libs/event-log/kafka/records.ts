/** kafkajs's messages to the port's records and back. */
import type { IHeaders, KafkaMessage, Message } from 'kafkajs';
import type { LogRecord, RecordToAppend } from '../port.js';
import { unreadableOf } from './fetch-response.js';

/** @throws Error if it stands for a batch that cannot be unpacked: in the log nothing may be passed over */
export function toLogRecord(message: KafkaMessage): LogRecord {
  const unreadable = unreadableOf(message);
  if (unreadable) throw new Error(unreadable);
  const { offset, key, headers, value, timestamp } = message;
  return {
    offset: BigInt(offset),
    key: key?.toString('utf8') ?? null,
    headers: toHeaders(headers),
    value: value ?? null,
    timestamp: Number(timestamp),
  };
}

/** Of a header that is given twice the last counts; one without a value is as good as none. */
function toHeaders(headers: IHeaders | undefined): ReadonlyMap<string, Buffer> {
  const known = new Map<string, Buffer>();
  for (const [name, given] of Object.entries(headers ?? {})) {
    const value = Array.isArray(given) ? given.at(-1) : given;
    if (value !== undefined && value !== null) known.set(name, Buffer.from(value));
  }
  return known;
}

/** @param now stamps the record, unless an import gives the time */
export function toMessage(
  key: string,
  partition: number,
  { headers, value, timestamp }: RecordToAppend,
  now: number,
): Message {
  return { key, partition, value, headers: Object.fromEntries(headers), timestamp: String(timestamp ?? now) };
}

/** What the record weighs in a request, roughly; for bounding batches. */
export function weightOf({ headers, value }: RecordToAppend): number {
  let bytes = 64 + (value?.length ?? 0);
  for (const [name, content] of headers) bytes += name.length + content.length + 4;
  return bytes;
}
