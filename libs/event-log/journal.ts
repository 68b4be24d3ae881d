/** The log as the rest of the program sees it: commands go in, events come out; sealing and the envelope happen in between. */
import { isSpanContextValid, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { LRUCache } from 'lru-cache';
import { defineLimit } from '#libs/limits';
import { faultIn } from '#libs/protocol';
import { recorded, traceparentOf } from '#libs/signals';
import { decodeRecord, encodeCommand, UNSTORABLE } from './codec.js';
import { digestOf } from './digest.js';
import type { Command, DecodeFailure, EventCatalog, JsonObject, LoggedEvent, NewEvent } from './envelope.js';
import { complaintOf } from './envelope-header.js';
import { eventIdOf } from './ids.js';
import type { EventLog, LogRecord, Position } from './port.js';
import { SubjectErased, type SubjectKeys } from './sealing/keys.js';
import { at, bindingOf, ERASED, isSealed, openText, sealText, subjectOf, withAt } from './sealing/seal.js';

export type DecodedRecord =
  | { readonly record: LogRecord; readonly event: LoggedEvent }
  | { readonly record: LogRecord; readonly failure: DecodeFailure };

/** Reads events for one claim; the keys it has seen live only as long (I14). */
export interface EventReader {
  decode(partition: number, records: readonly LogRecord[]): Promise<readonly DecodedRecord[]>;
}

export interface Journal {
  /**
   * Checks, seals, encodes and appends one command's events as one batch.
   * @returns position of the first event, ids of all
   * @throws SubjectErased, CommandTooLarge, InvalidEvent, UnstorableEvent: nothing was appended. LogUnavailable: unknown; retry under the same id.
   */
  append(command: Command): Promise<{ readonly position: Position; readonly eventIds: readonly string[] }>;
  /** Whether a command of this actor and content may have this digest. */
  isDigestOf(
    digest: string,
    command: Pick<Command, 'conference' | 'actor'> & { readonly content: string },
  ): Promise<boolean>;
  reader(): EventReader;
}

/** A decider returned data that its own schema refuses: a bug, caught before it becomes a fact. */
export class InvalidEvent extends Error {
  override readonly name = 'InvalidEvent';
}

/** A string of the command cannot be stored. The ways in refuse it first; what gets past them ends here and not in the log. */
export class UnstorableEvent extends Error {
  override readonly name = 'UnstorableEvent';
}

export interface JournalParts {
  readonly log: EventLog;
  readonly catalog: EventCatalog;
  readonly keys: SubjectKeys;
  /** Keys that a reader remembers. Default 20,000. */
  readonly maxKeys?: number;
}

const tracer = trace.getTracer('hallway.event-log');

export function createJournal({ log, catalog, keys, maxKeys = MAX_KEYS }: JournalParts): Journal {
  return {
    append: (command) =>
      tracer.startActiveSpan(
        'append',
        { kind: SpanKind.PRODUCER, attributes: { 'hallway.events': command.events.length } },
        async (span) => {
          const started = performance.now();
          const own = span.spanContext();
          try {
            refuseUnstorable(command);
            const events = await Promise.all(
              command.events.map((event, index) => seal({ keys, catalog, command, event, index })),
            );
            const traceparent = isSpanContextValid(own) ? { traceparent: traceparentOf(own) } : {};
            const digest = await digestFor(command, { catalog, keys });
            const records = encodeCommand({ ...command, ...digest, ...traceparent, events }, catalog);
            for (const { headers } of records) {
              const complaint = complaintOf({ key: command.conference, headers, timestamp: 0 });
              if (complaint) throw new UnstorableEvent(complaint);
            }
            const position = await log.append(command.conference, records, command.lane);
            recorded.append.record((performance.now() - started) / 1_000);
            return { position, eventIds: events.map((_, index) => eventIdOf(command.commandId, index)) };
          } catch (error) {
            span.setStatus({ code: SpanStatusCode.ERROR });
            throw error;
          } finally {
            span.end();
          }
        },
      ),
    async isDigestOf(digest, { conference, actor, content }) {
      if (digest === digestOf(content)) return true;
      try {
        return digest === digestOf(content, (await keys.keyFor(conference, actor)).key);
      } catch (error) {
        if (error instanceof SubjectErased) return false;
        throw error;
      }
    },
    reader: () => createReader(catalog, keys, maxKeys),
  };
}

/** @throws UnstorableEvent */
function refuseUnstorable({ conference, source, actor, actorRole, reason, answer, events }: Command): void {
  const texts = [conference, source, actor, actorRole, reason ?? ''];
  const named = events.flatMap(({ type, subject, stream }) => [type, subject ?? '', stream ?? '']);
  if (faultIn([...texts, answer ?? '', ...named])) throw new UnstorableEvent('the command names what cannot be stored');
  const broken = events.find(({ data }) => faultIn(data));
  if (broken) throw new UnstorableEvent(`${broken.type}: its data cannot be stored`);
}

async function digestFor(
  { conference, actor, content, events }: Command,
  { catalog, keys }: Pick<JournalParts, 'catalog' | 'keys'>,
): Promise<{ readonly digest?: string }> {
  if (content === undefined) return {};
  const isPersonal = events.some(({ type, data }) =>
    catalog.get(type)?.personal.some(({ path }) => typeof at(data, path) === 'string'),
  );
  return { digest: digestOf(content, isPersonal ? (await keys.keyFor(conference, actor)).key : undefined) };
}

interface Sealing {
  readonly keys: SubjectKeys;
  readonly catalog: EventCatalog;
  readonly command: Command;
  readonly event: NewEvent;
  readonly index: number;
}

async function seal({ keys, catalog, command, event, index }: Sealing): Promise<NewEvent> {
  const type = catalog.get(event.type);
  const complaint = type ? type.check(event.data) : 'unknown type';
  if (!type || complaint) throw new InvalidEvent(`${event.type}: ${complaint}`);
  let data = event.data;
  for (const field of type.personal) {
    const text = at(data, field.path);
    if (text === undefined || text === null) continue;
    // Anything else would lie in the log in the clear.
    if (typeof text !== 'string') throw new InvalidEvent(`${event.type}: ${field.path} is personal and not a text`);
    const subject = subjectOf(field, command.actor, event.data);
    if (!subject) throw new InvalidEvent(`${event.type}: nobody is named whose key seals ${field.path}`);
    const key = await keys.keyFor(command.conference, subject);
    data = withAt(
      data,
      field.path,
      sealText(text, key, bindingOf(eventIdOf(command.commandId, index), field.path)) as unknown as JsonObject,
    );
  }
  return { ...event, data };
}

/** I9: keys that a reader remembers; the least recently used is looked up again. */
export const MAX_KEYS = defineLimit({
  name: 'log.keys.remembered',
  value: 20_000,
  unit: 'entries',
  beyond: 'the key used least recently is looked up again',
});

function createReader(catalog: EventCatalog, keys: SubjectKeys, max: number): EventReader {
  const remembered = new LRUCache<string, { readonly key: Buffer | null }>({ max });
  return {
    async decode(partition, records) {
      const decoded = records.map((record) => ({ record, decoded: decodeRecord(record, partition, catalog) }));
      /** All keys of these records, however many are remembered. */
      const known = new Map<string, Buffer | null>();
      const wanted = new Set<string>();
      for (const { decoded: one } of decoded) {
        if ('envelope' in one && 'data' in one) {
          for (const id of keyIdsOf(one.data, catalog.get(one.envelope.type)?.personal ?? [])) {
            const found = remembered.get(id);
            if (found) known.set(id, found.key);
            else wanted.add(id);
          }
        }
      }
      // A row that does not exist yet is asked for again next time: only what was found is remembered.
      if (wanted.size > 0)
        for (const [id, key] of await keys.find([...wanted])) {
          known.set(id, key);
          remembered.set(id, { key });
        }
      return decoded.map(({ record, decoded: one }) =>
        'data' in one ? openAll(record, one, catalog, known) : { record, failure: one },
      );
    },
  };
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

function* keyIdsOf(data: JsonObject, fields: readonly { readonly path: string }[]): Iterable<string> {
  for (const { path } of fields) {
    const value = at(data, path);
    if (isSealed(value) && UUID.test(value.$sealed.k)) yield value.$sealed.k;
  }
}

function openAll(
  record: LogRecord,
  {
    envelope,
    data: sealed,
  }: { readonly envelope: Omit<LoggedEvent, 'data' | 'sealed' | 'missingKeys'>; readonly data: JsonObject },
  catalog: EventCatalog,
  known: ReadonlyMap<string, Buffer | null>,
): DecodedRecord {
  const type = catalog.get(envelope.type);
  let data = sealed;
  let missingKeys = 0;
  for (const { path } of type?.personal ?? []) {
    const value = at(sealed, path);
    if (!isSealed(value)) continue;
    const key = known.get(value.$sealed.k);
    if (key === undefined) missingKeys += 1;
    try {
      data = withAt(data, path, key ? openText(value, key, bindingOf(envelope.id, path)) : ERASED);
    } catch {
      return { record, failure: { kind: 'unfoldable', reason: `${path} was not sealed for this event`, envelope } };
    }
  }
  // What was sealed is seen only now.
  const complaint = faultIn(data) ? UNSTORABLE : type?.check(data);
  if (complaint) return { record, failure: { kind: 'unfoldable', reason: complaint, envelope } };
  return { record, event: { ...envelope, data, sealed, missingKeys } };
}
