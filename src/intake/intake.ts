/**
 * What comes from outside: a CloudEvent of an allowed producer is a command in the past tense. It is validated and decided like one, and
 * appended under our own envelope; its source and id make the command's id, so that what is sent twice acts once (I13). The same for
 * every way in (HTTP, Kafka).
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type CommandAck, Refusal, refuseUnstorable } from '#libs/protocol';
import { spanContextOf } from '#libs/signals';
import { actorId } from '../conference/access/events.js';
import { capabilities } from '../conference/capabilities.js';
import type { Identity } from '../conference/capability.js';

/** The parts of a CloudEvent 1.0 that matter here, as a binding of the official SDK yields them. */
export interface ForeignEvent {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly dataschema?: string | undefined;
  readonly data?: unknown;
  /** Extension: whom the producer speaks for; a person of its own, known by this name. */
  readonly actor?: unknown;
  /** Extension: the conference it is for, where the way in says that, too. */
  readonly conference?: unknown;
  readonly traceparent?: unknown;
}

/** Source → types it may send; `*`: every type that is taken from outside. */
export type Producers = Readonly<Record<string, readonly string[]>>;

export interface Intake {
  /**
   * @param conference by the way in: a path, a record's key
   * @param sentBefore when it had surely been sent (`performance.now()`); default: now
   * @throws Refusal
   */
  accept(event: ForeignEvent, conference: string, sentBefore?: number): Promise<CommandAck>;
}

/** An event as the command that it is taken as. */
export interface ForeignCommand {
  readonly identity: Identity;
  readonly conference: string;
  readonly message: unknown;
  /** Whose own ids the message's id is one of (I13): the source, whomever it speaks for. */
  readonly sender: string;
  /** The producer's trace context. */
  readonly traceparent?: string;
  /** When it had surely been sent (`performance.now()`); default: now. */
  readonly sentBefore?: number;
}

export interface IntakePorts {
  readonly producers: Producers;
  readonly handle: (command: ForeignCommand) => Promise<CommandAck>;
}

/** The names that a refusal may say. */
const foreignEvent = z.object({
  id: z.string(),
  source: z.string(),
  type: z.string(),
  dataschema: z.string(),
  data: z.unknown(),
  actor: z.string(),
  conference: z.string(),
});

const types = new Map(capabilities.flatMap(({ events }) => events).map((spec) => [spec.type, spec]));

export function createIntake({ producers, handle }: IntakePorts): Intake {
  return {
    async accept(event, conference, sentBefore = performance.now()) {
      // A trace context that cannot be read is no reason to refuse an event (W3C).
      refuseUnstorable({ ...event, traceparent: null }, foreignEvent);
      const command = commandOf(event, producers);
      const { id, source, traceparent } = event;
      const identity: Identity = { actor: actorOf(event), role: 'producer', conference };
      // What is no trace context is no reason to refuse an event (W3C): it begins a trace of its own.
      const trace = typeof traceparent === 'string' && spanContextOf(traceparent) ? { traceparent } : {};
      const message = {
        id: createHash('sha256').update(`${source}\n${id}`).digest('hex'),
        type: command,
        data: event.data,
        ...trace,
      };
      const ack = await handle({ identity, conference, message, sender: source, sentBefore, ...trace });
      if ('refusal' in ack) throw Refusal.fromCode(ack.refusal.code, ack.refusal.message, ack.refusal.retryAfter);
      return ack;
    },
  };
}

/** The command that the event is in the past tense. @throws Refusal */
function commandOf({ type, source, dataschema, data }: ForeignEvent, producers: Producers): string {
  const allowed = Object.hasOwn(producers, source) ? producers[source] : undefined;
  if (!allowed) throw new Refusal('forbidden', 'this source may not send events');
  const spec = types.get(type);
  if (!spec) throw new Refusal('unknown-event');
  if (spec.takenAs === undefined) throw new Refusal('forbidden', 'events of this type are not taken from outside');
  if (!allowed.includes('*') && !allowed.includes(type))
    throw new Refusal('forbidden', 'this source may not send events of this type');
  const version = dataschema === undefined ? spec.version : Number(/\/(\d{1,6})$/.exec(dataschema)?.[1]);
  if (version !== spec.version)
    throw new Refusal('unsupported-version', `events of this type have version ${spec.version}`);
  if (typeof data !== 'object' || data === null || Array.isArray(data))
    throw new Refusal('invalid', 'data: a JSON object');
  return spec.takenAs;
}

function actorOf({ source, actor }: ForeignEvent): string {
  // Nothing is made a string here: an object may have a way of its own to become one, or none.
  const name = actor === undefined ? source : typeof actor === 'string' && `${source}#${actor}`;
  const parsed = actorId.safeParse(name);
  if (!parsed.success) throw new Refusal('invalid', 'source and actor: visible ASCII, together at most 99 characters');
  return parsed.data;
}
