/** Commands ⇄ records: CloudEvents 1.0 over Kafka, binary mode (attributes as `ce_*` headers, data as the JSON value). */
import { defineLimit } from '#libs/limits';
import { faultIn } from '#libs/protocol';
import type { Command, DecodeFailure, Envelope, EventCatalog, JsonObject } from './envelope.js';
import { readEnvelope } from './envelope-header.js';
import { eventIdOf } from './ids.js';
import type { LogRecord, RecordToAppend } from './port.js';

export const MAX_EVENTS = defineLimit({
  name: 'log.command.events',
  value: 200,
  unit: 'events',
  beyond: 'the command is refused with 205',
});
export const MAX_COMMAND_BYTES = defineLimit({
  name: 'log.command.size',
  value: 512 * 1024,
  unit: 'bytes',
  beyond: 'the command is refused with 205',
});
export const UNSTORABLE = 'data has characters that cannot be stored';
const SCHEMA = 'hallway:';

export class CommandTooLarge extends Error {
  override readonly name = 'CommandTooLarge';
}

/** @throws CommandTooLarge beyond 200 events or 512 KB */
export function encodeCommand(
  command: Command & { readonly digest?: string },
  versions: EventCatalog,
): RecordToAppend[] {
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
    if (index === 0) {
      set('ce_digest', command.digest);
      set('ce_answer', command.answer);
    }
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
  const envelope = readEnvelope(record, partition, MAX_EVENTS);
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

function readData(value: Buffer | null): JsonObject | string {
  if (value === null) return 'no data';
  try {
    const data: unknown = JSON.parse(value.toString('utf8'));
    if (typeof data !== 'object' || data === null || Array.isArray(data)) return 'data is not an object';
    const fault = faultIn(data);
    if (fault) return fault.kind === 'too-deep' ? 'data is nested too deeply' : UNSTORABLE;
    return data as JsonObject;
  } catch {
    return 'data is not JSON';
  }
}
