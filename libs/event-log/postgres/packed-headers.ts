/**
 * A record's headers as bytes (D12): names as one byte each, ids as 16, and what the others say already is left out. Whatever headers
 * there are, they are read back exactly, in their order.
 */
import { parse, stringify } from 'uuid';
import { eventIdOf } from '../ids.js';

/** Append only: their places are in the log. Place 0 is for names that are not here. */
const NAMES = [
  '',
  'content-type',
  'ce_specversion',
  'ce_id',
  'ce_source',
  'ce_type',
  'ce_subject',
  'ce_dataschema',
  'ce_stream',
  'ce_actor',
  'ce_actorrole',
  'ce_reason',
  'ce_commandid',
  'ce_index',
  'ce_count',
  'traceparent',
  'ce_digest',
  'ce_answer',
] as const;
const CODES = new Map<string, number>(NAMES.map((name, code) => [name, code]));
CODES.delete('');

/** How a value is written; in the upper three bits of the byte whose lower five are the name. */
const FORM = { bytes: 0, usual: 1, uuid: 2, id: 3, schema: 4, trace: 5 } as const;
const USUAL: ReadonlyMap<string, string> = new Map([
  ['content-type', 'application/json'],
  ['ce_specversion', '1.0'],
  ['ce_index', '0'],
  ['ce_count', '1'],
]);
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const TRACE = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;
const MAY_BE_UUID: ReadonlySet<string> = new Set(['ce_commandid', 'ce_subject', 'ce_actor', 'ce_answer']);

export function packHeaders(headers: ReadonlyMap<string, Buffer>): Buffer {
  const text = (name: string) => headers.get(name)?.toString('utf8') ?? '';
  const type = text('ce_type');
  const id = idOf(text('ce_commandid'), text('ce_index'));
  const parts: Uint8Array[] = [];
  for (const [name, value] of headers) {
    const code = CODES.get(name) ?? 0;
    const said = value.toString('utf8');
    const put = (form: number, ...rest: readonly Uint8Array[]) =>
      parts.push(Uint8Array.of((form << 5) | code), ...rest);
    const version = name === 'ce_dataschema' ? versionIn(said, type) : undefined;
    if (code === 0) put(FORM.bytes, sized(Buffer.from(name, 'utf8')), sized(value));
    else if (USUAL.get(name) === said) put(FORM.usual);
    else if ((name === 'ce_id' || name === 'ce_subject') && id !== undefined && said === id) put(FORM.id);
    else if (version !== undefined) put(FORM.schema, varint(version));
    else if (MAY_BE_UUID.has(name) && UUID.test(said)) put(FORM.uuid, parse(said));
    else if (name === 'traceparent' && TRACE.test(said))
      put(FORM.trace, Buffer.from(said.slice(3).replaceAll('-', ''), 'hex'));
    else put(FORM.bytes, sized(value));
  }
  return Buffer.concat(parts);
}

/** @throws RangeError: these bytes are not packed headers */
export function unpackHeaders(packed: Buffer): Map<string, Buffer> {
  const headers = new Map<string, Buffer>();
  /** What is known only once all others are. */
  const ids: string[] = [];
  let schema: number | undefined;
  let at = 0;
  const next = (length: number): Buffer => {
    if (at + length > packed.length) throw new RangeError('these bytes are not packed headers');
    at += length;
    return packed.subarray(at - length, at);
  };
  const number = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = next(1)[0] ?? 0;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
      if (shift > 28) throw new RangeError('these bytes are not packed headers');
    }
  };
  while (at < packed.length) {
    const [head = 0] = next(1);
    const form = head >> 5;
    const known = NAMES[head & 0x1f];
    if (known === undefined) throw new RangeError('these headers were packed by a newer program');
    const name = known === '' ? next(number()).toString('utf8') : known;
    let value: Buffer = EMPTY;
    if (form === FORM.bytes) value = next(number());
    else if (form === FORM.usual) value = Buffer.from(USUAL.get(name) ?? '');
    else if (form === FORM.uuid) value = Buffer.from(stringify(next(16)));
    else if (form === FORM.trace) value = traceIn(next(25));
    else if (form === FORM.schema) schema = number();
    else if (form === FORM.id) ids.push(name);
    else throw new RangeError('these headers were packed by a newer program');
    headers.set(name, value); // Its place is kept; a later value fills it.
  }
  const text = (name: string) => headers.get(name)?.toString('utf8') ?? '';
  if (schema !== undefined) headers.set('ce_dataschema', Buffer.from(schemaOf(text('ce_type'), schema)));
  if (ids.length > 0) {
    const id = Buffer.from(idOf(text('ce_commandid'), text('ce_index')) ?? '');
    for (const name of ids) headers.set(name, id);
  }
  return headers;
}

const EMPTY = Buffer.alloc(0);
const schemaOf = (type: string, version: number): string => `hallway:${type}/${version}`;

function idOf(commandId: string, index: string): string | undefined {
  return UUID.test(commandId) && /^\d{1,6}$/.test(index) ? eventIdOf(commandId, Number(index)) : undefined;
}

function versionIn(schema: string, type: string): number | undefined {
  const version = Number(/\/([1-9]\d{0,5})$/.exec(schema)?.[1]);
  return version > 0 && schema === schemaOf(type, version) ? version : undefined;
}

function traceIn(bytes: Buffer): Buffer {
  const hex = bytes.toString('hex');
  return Buffer.from(`00-${hex.slice(0, 32)}-${hex.slice(32, 48)}-${hex.slice(48)}`);
}

const sized = (bytes: Uint8Array): Buffer => Buffer.concat([varint(bytes.length), bytes]);

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) {
      bytes.push(rest);
      return Uint8Array.from(bytes);
    }
    bytes.push((rest % 128) | 0x80);
  }
}
