/** Events as the rest of the program sees them, and the CloudEvents 1.0 envelope (Kafka binding, binary mode) they travel in. */
import type { Lane } from './lanes.js';
import type { Position } from './port.js';

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** What a decider returns: something that is to become a fact. */
export interface NewEvent {
  readonly type: string;
  readonly data: JsonObject;
  /** Id of the thing it is about; absent: the event creates the thing, whose id is the event's own id. */
  readonly subject?: string;
  /** The part of the conference that keeps its own order; null only for `attendee-erased` and `event-skipped`. */
  readonly stream: string | null;
}

/** One command's events (1–200, at most 512 KB encoded), appended as one batch. */
export interface Command {
  readonly conference: string;
  /** UUIDv5(conference, actor, sender's id): the same for every retry. */
  readonly commandId: string;
  readonly source: string;
  readonly actor: string;
  readonly actorRole: string;
  readonly reason?: string;
  readonly traceparent?: string;
  /** What its sender said, canonical: another content under the same id is another command. Only its digest is kept. */
  readonly content?: string;
  /** The subject that its sender is answered with, if it is not the first event's. */
  readonly answer?: string;
  /** Who goes first while many wait; nothing of it is in the log. Default: attendee. */
  readonly lane?: Lane;
  readonly events: readonly NewEvent[];
}

/** An event read back from the log, decoded, upcast and unsealed. */
export interface LoggedEvent {
  /** UUIDv5(command id, index). */
  readonly id: string;
  readonly conference: string;
  readonly position: Position;
  readonly type: string;
  /** Version of the schema of `data`, after upcasting. */
  readonly version: number;
  readonly source: string;
  readonly subject: string;
  readonly stream: string | null;
  /** RFC 3339 with milliseconds, UTC. */
  readonly time: string;
  readonly actor: string;
  readonly actorRole: string;
  readonly reason?: string;
  readonly commandId: string;
  /** Place within its command, from 0, and how many events the command has. */
  readonly index: number;
  readonly count: number;
  /** At the first event of a command: the digest of what was said, and the subject of the answer if that is another event's. */
  readonly digest?: string;
  readonly answer?: string;
  readonly traceparent?: string;
  readonly data: JsonObject;
  /** `data` as it lies in the log, personal fields sealed: what the audit keeps. */
  readonly sealed: JsonObject;
  /** Subjects whose fields could not be opened because no key row exists (I14: an alarm). */
  readonly missingKeys: number;
}

/** What the codec must know of each event type; the capabilities' zod schemas provide it. */
export interface EventType {
  /** Current version of the schema. */
  readonly version: number;
  /** Dotted paths of personal fields in `data`, each sealed under the key of the named subject. */
  readonly personal: readonly PersonalField[];
  /** `upcasts[n]` turns data of version n into version n + 1. */
  readonly upcasts?: Readonly<Record<number, (data: JsonObject) => JsonObject>>;
  /** Checks data of the current version; an answer is the complaint. */
  check(data: unknown): string | undefined;
}

export interface PersonalField {
  readonly path: string;
  /** Whose key seals it: the actor of the event, or the id found in `data` at this path. */
  readonly subject: 'actor' | { readonly path: string };
}

export type EventCatalog = ReadonlyMap<string, EventType>;

/** Why a record is not an event this program can fold. */
export type DecodeFailure =
  /** No readable envelope: becomes a dead letter. */
  | { readonly kind: 'unreadable'; readonly reason: string }
  /** A readable envelope of unknown type, newer version or invalid data: parks its stream. */
  | { readonly kind: 'unfoldable'; readonly reason: string; readonly envelope: Envelope };

/** The envelope alone: all of a LoggedEvent but its data. */
export type Envelope = Omit<LoggedEvent, 'data' | 'sealed' | 'missingKeys'>;
