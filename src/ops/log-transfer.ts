/**
 * A conference's events out of one log and into another, as lines of JSON: order, ids, event times and bytes stay; offsets do not. The
 * keys of sealed texts are not in the file (I14: what was erased stays erased); they lie in `subject_key` of the database.
 */

import { z } from 'zod';
import { type EventLog, type LogRecord, MAX_TIME, partitionOf, type RecordToAppend } from '#libs/event-log';
import { defineLimit } from '#libs/limits';
import { groupByCommand } from '#libs/projector';
import { isStorable } from '#libs/protocol';

const FORMAT = 'hallway-log/1';
const READ = 1_000;
/** Longer than any record that a log takes. */
const MAX_LINE = defineLimit({
  name: 'transfer.line',
  value: 4 * 1024 * 1024,
  unit: 'bytes',
  beyond: 'the import stops with a message',
});
/** All of them are checked before the first is appended. */
const MAX_EVENTS = defineLimit({
  name: 'transfer.events',
  value: 500_000,
  unit: 'events',
  beyond: 'the import stops with a message',
});

const headSchema = z.strictObject({
  format: z.literal(FORMAT),
  conference: z.string().min(1).max(200).refine(isStorable),
  log: z.string(),
});
const lineSchema = z.strictObject({
  offset: z.string().regex(/^\d{1,19}$/),
  time: z.int().min(0).max(MAX_TIME),
  headers: z.array(z.tuple([z.string().refine(isStorable), z.base64()])).max(100),
  value: z.base64().nullable(),
});

/** 2xx: the file or the log it is for is not what it must be; nothing more was appended. */
export class TransferRefused extends Error {
  override readonly name = 'TransferRefused';
}

/** Lines without their ends, the head first; none if the log holds no events of the conference. */
export async function* exportConference(log: EventLog, conference: string): AsyncGenerator<string> {
  let head: string | null = JSON.stringify({ format: FORMAT, conference, log: await log.identity() });
  for await (const { offset, timestamp, headers, value } of recordsOf(log, conference)) {
    if (head !== null) yield head;
    head = null;
    yield JSON.stringify({
      offset: offset.toString(),
      time: timestamp,
      headers: [...headers].map(([name, content]) => [name, content.toString('base64')]),
      value: value?.toString('base64') ?? null,
    });
  }
}

export interface Imported {
  readonly conference: string;
  /** Events that were there already, from an import that was cut off. */
  readonly known: number;
  readonly appended: number;
}

/**
 * Goes on where an earlier import of the same file ended.
 * @throws TransferRefused if the file is not one of ours, or the log holds other events of this conference
 */
export async function importConference(log: EventLog, lines: AsyncIterable<string>): Promise<Imported> {
  const iterator = lines[Symbol.asyncIterator]();
  const first = await iterator.next();
  const { conference } = parse(headSchema, first.done ? '' : first.value, 1);
  const existing: LogRecord[] = [];
  for await (const record of recordsOf(log, conference)) existing.push(record);
  /** Where each event stands now, by where it stood. */
  const moved = new Map<string, bigint>();
  const records: LogRecord[] = [];
  for (let number = 2, next = await iterator.next(); !next.done; number++, next = await iterator.next()) {
    if (records.length >= MAX_EVENTS)
      throw new TransferRefused(`205 more than ${MAX_EVENTS} events; nothing was appended`);
    records.push(toRecord(conference, parse(lineSchema, next.value, number)));
  }
  for (const [index, there] of existing.entries()) {
    const here = records[index];
    if (!here || idOf(here) !== idOf(there))
      throw new TransferRefused(`208 the log already holds other events of ${conference}; nothing was appended`);
    moved.set(here.offset.toString(), there.offset);
  }
  for (const group of groupByCommand(records.slice(existing.length))) {
    const { offset } = await log.append(
      conference,
      group.map((record) => toAppend(record, moved)),
    );
    for (const [index, record] of group.entries()) moved.set(record.offset.toString(), offset + BigInt(index));
  }
  return { conference, known: existing.length, appended: records.length - existing.length };
}

/** Each event once: what was appended again because its outcome was unknown acts only where it first stood (I13). */
async function* recordsOf(log: EventLog, conference: string): AsyncGenerator<LogRecord> {
  const partition = partitionOf(conference, log.partitions);
  const { low, high } = await log.watermarks(partition);
  const seen = new Set<string>();
  for (let next = low; next < high; ) {
    const batch = await log.read(partition, next, READ);
    for (const record of batch.records) {
      const id = idOf(record);
      if (record.key !== conference || record.offset >= high || seen.has(id)) continue;
      if (id) seen.add(id);
      yield record;
    }
    if (batch.nextOffset <= next) return;
    next = batch.nextOffset;
  }
}

const idOf = ({ headers }: LogRecord): string => headers.get('ce_id')?.toString('utf8') ?? '';

function toRecord(conference: string, { offset, time, headers, value }: z.output<typeof lineSchema>): LogRecord {
  return {
    offset: BigInt(offset),
    key: conference,
    headers: new Map(headers.map(([name, content]) => [name, Buffer.from(content, 'base64')])),
    value: value === null ? null : Buffer.from(value, 'base64'),
    timestamp: time,
  };
}

/** `event-skipped` names an event by its offset, which is another one here. */
function toAppend(record: LogRecord, moved: ReadonlyMap<string, bigint>): RecordToAppend {
  const { headers, timestamp } = record;
  let { value } = record;
  if (headers.get('ce_type')?.toString('utf8') === 'event-skipped' && value) {
    const skipped = z.looseObject({ offset: z.int().min(0) }).safeParse(jsonOf(value));
    const now = skipped.success ? moved.get(String(skipped.data.offset)) : undefined;
    if (skipped.success && now !== undefined)
      value = Buffer.from(JSON.stringify({ ...skipped.data, offset: Number(now) }), 'utf8');
  }
  return { headers, value, timestamp };
}

/** Not every record of a log is readable: what is not stays as it is. */
function jsonOf(value: Buffer): unknown {
  try {
    return JSON.parse(value.toString('utf8'));
  } catch {
    return undefined;
  }
}

function parse<T extends z.ZodType>(schema: T, line: string, number: number): z.output<T> {
  if (line.length > MAX_LINE) throw new TransferRefused(`205 line ${number} is too long`);
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    throw new TransferRefused(`200 line ${number} is not JSON; nothing was appended`);
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success)
    throw new TransferRefused(`201 line ${number} is not one of an exported log; nothing was appended`);
  return parsed.data;
}
