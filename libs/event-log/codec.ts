/** Commands ⇄ records: CloudEvents 1.0 over Kafka, binary mode (attributes as `ce_*` headers, data as the JSON value). */
import type { Command, DecodeFailure, Envelope, EventCatalog, JsonObject } from './envelope.js';
import { eventIdOf } from './ids.js';
import type { LogRecord, RecordToAppend } from './port.js';

export const MAX_EVENTS = 200;
export const MAX_COMMAND_BYTES = 512 * 1024;
const MAX_DEPTH = 32;
/** The last instant a Date can say. */
const MAX_TIME = 8.64e15;
const SCHEMA = 'hallway:';
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

export class CommandTooLarge extends Error {
  override readonly name = 'CommandTooLarge';
}

/** @throws CommandTooLarge beyond 200 events or 512 KB */
export function encodeCommand(command: Command, versions: EventCatalog): RecordToAppend[] {
  if (command.events.length === 0 || command.events.length > MAX_EVENTS) {
    throw new CommandTooLarge(`a command has 1 to ${MAX_EVENTS} events`);
  }
  let bytes = 0;
  const records = command.events.map((event, index) => {
    const id = eventIdOf(command.commandId, index);
    const headers = new Map<string, Buffer>();
    const set = (name: string, value: string | undefined) =>
      value !== undefined && headers.set(name, Buffer.from(value, 'utf8'));
    set('content-type', 'application/json');
    set('ce_specversion', '1.0');
    set('ce_id', id);
    set('ce_source', command.source);
    set('ce_type', event.type);
    set('ce_subject', event.subject ?? id);
    set('ce_dataschema', `${SCHEMA}${event.type}/${versions.get(event.type)?.version ?? 1}`);
    set('ce_stream', event.stream ?? undefined);
    set('ce_actor', command.actor);
    set('ce_actorrole', command.actorRole);
    set('ce_reason', command.reason);
    set('ce_commandid', command.commandId);
    set('ce_index', String(index));
    set('ce_count', String(command.events.length));
    set('traceparent', command.traceparent);
    const value = Buffer.from(JSON.stringify(event.data), 'utf8');
    for (const header of headers.values()) bytes += header.length;
    bytes += value.length;
    return { headers, value };
  });
  if (bytes > MAX_COMMAND_BYTES) throw new CommandTooLarge(`a command has at most ${MAX_COMMAND_BYTES} bytes`);
  return records;
}

export type Decoded = { readonly envelope: Envelope; readonly data: JsonObject } | DecodeFailure;

/** Envelope and upcast (still sealed) data. Never throws, whatever the bytes are. */
export function decodeRecord(record: LogRecord, partition: number, catalog: EventCatalog): Decoded {
  const envelope = readEnvelope(record, partition);
  if (typeof envelope === 'string') return { kind: 'unreadable', reason: envelope };
  const unfoldable = (reason: string): DecodeFailure => ({ kind: 'unfoldable', reason, envelope });
  const type = catalog.get(envelope.type);
  if (!type) return unfoldable('unknown event type');
  if (envelope.version > type.version) return unfoldable('newer version than this program knows');
  const data = readData(record.value);
  if (typeof data === 'string') return unfoldable(data);
  try {
    let upcast = data;
    for (let version = envelope.version; version < type.version; version++) {
      const step = type.upcasts?.[version];
      if (!step) return unfoldable(`version ${version} cannot be brought up to date`);
      upcast = step(upcast);
    }
    return { envelope: { ...envelope, version: type.version }, data: upcast };
  } catch {
    return unfoldable('upcasting failed');
  }
}

function readEnvelope(record: LogRecord, partition: number): Envelope | string {
  const text = (name: string): string | undefined => record.headers.get(name)?.toString('utf8') || undefined;
  const number = (name: string): number => (/^\d{1,6}$/.test(text(name) ?? '') ? Number(text(name)) : Number.NaN);
  if (record.key === null || record.key === '') return 'no key';
  if (text('ce_specversion') !== '1.0') return 'not a CloudEvent 1.0';
  const [id, source, type, subject, actor, actorRole, commandId] = [
    'ce_id',
    'ce_source',
    'ce_type',
    'ce_subject',
    'ce_actor',
    'ce_actorrole',
    'ce_commandid',
  ].map(text);
  if (!id || !source || !type || !subject || !actor || !actorRole || !commandId) return 'attributes are missing';
  if (!UUID.test(commandId)) return 'commandid is not a UUID';
  const version = Number(/\/(\d{1,6})$/.exec(text('ce_dataschema') ?? '')?.[1]);
  const index = number('ce_index');
  const count = number('ce_count');
  if (!Number.isInteger(version) || version < 1) return 'no version in dataschema';
  if (!(index >= 0 && index < count && count <= MAX_EVENTS)) return 'no valid place within a command';
  if (!(Math.abs(record.timestamp) <= MAX_TIME)) return 'no valid time';
  const reason = text('ce_reason');
  const traceparent = text('traceparent');
  return {
    id,
    conference: record.key,
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
    ...(traceparent && TRACEPARENT.test(traceparent) ? { traceparent } : {}),
  };
}

function readData(value: Buffer | null): JsonObject | string {
  if (value === null) return 'no data';
  try {
    const data: unknown = JSON.parse(value.toString('utf8'));
    if (typeof data !== 'object' || data === null || Array.isArray(data)) return 'data is not an object';
    return isShallow(data, MAX_DEPTH) ? (data as JsonObject) : 'data is nested too deeply';
  } catch {
    return 'data is not JSON';
  }
}

const isShallow = (value: unknown, levels: number): boolean =>
  typeof value !== 'object' ||
  value === null ||
  (levels > 0 && Object.values(value).every((inner) => isShallow(inner, levels - 1)));
