/** One door for commands, whatever brought them: bounded, checked, allowed, decided on the replica, appended, answered with their outcome. */
import { SpanStatusCode, trace } from '@opentelemetry/api';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import {
  CommandTooLarge,
  commandIdOf,
  eventIdOf,
  type Journal,
  LogUnavailable,
  type NewEvent,
  SubjectErased,
} from '#libs/event-log';
import type { ConferenceFeed, Feed } from '#libs/feed';
import type { Logger } from '#libs/postgres';
import { type CommandAck, commandSchema, describeIssues, parseBounded, Refusal } from '#libs/protocol';
import { mayCommand } from '../../conference/access.js';
import { capabilities } from '../../conference/capabilities.js';
import type { CommandSpec, Identity } from '../../conference/capability.js';
import { heldChannels } from '../../conference/projection-set.js';
import { emptyState, stateOf } from '../../conference/state.js';
import { openFeed } from '../open-feed.js';
import type { KnownOutcome } from './outcomes.js';

/** A decision on older state than this is refused (design §6). */
const MAX_AGE_MS = 5_000;
const WAIT_MS = 1_000;

export interface CommandDoorPorts {
  readonly feed: Feed;
  readonly journal: Journal;
  readonly findOutcome: (conference: string, commandId: string) => Promise<KnownOutcome | null>;
  readonly logger: Logger;
}

export interface CommandDoor {
  /** Never throws: what is not an outcome is a numbered refusal. */
  handle(identity: Identity, conference: string, message: unknown): Promise<CommandAck>;
  /** The outcome of an earlier command of this actor. @throws Refusal unknown-command */
  outcome(identity: Identity, conference: string, id: string): Promise<CommandAck>;
}

const specs = new Map(
  capabilities.flatMap(({ commands }) => commands).map((spec): [string, CommandSpec] => [spec.type, spec]),
);
const tracer = trace.getTracer('hallway.doors');

type Message = ReturnType<typeof parseBounded<typeof commandSchema>>;

interface Asked {
  readonly identity: Identity;
  readonly conference: string;
  readonly message: Message;
  readonly spec: CommandSpec;
  readonly data: Record<string, unknown>;
  readonly commandId: string;
}

export const createCommandDoor = (ports: CommandDoorPorts): CommandDoor => new Door(ports);

class Door implements CommandDoor {
  private readonly limiters = new Map<string, RateLimiterMemory>();

  constructor(private readonly ports: CommandDoorPorts) {}

  handle(identity: Identity, conference: string, message: unknown): Promise<CommandAck> {
    return tracer.startActiveSpan('command', async (span) => {
      try {
        const asked = read(identity, conference, message);
        span.setAttribute('hallway.command', asked.spec.type);
        return await this.run(asked);
      } catch (error) {
        span.setStatus({ code: SpanStatusCode.ERROR });
        return { refusal: this.toRefusal(error).body() };
      } finally {
        span.end();
      }
    });
  }

  async outcome({ actor }: Identity, conference: string, id: string): Promise<CommandAck> {
    const known = await this.ports.findOutcome(conference, commandIdOf(actor, id));
    if (!known) throw new Refusal('unknown-command');
    return ackOf(known);
  }

  private async run(asked: Asked): Promise<CommandAck> {
    const opened = await openFeed(this.ports.feed, asked.conference).catch((error: unknown) => {
      // The one command that makes the conference it is sent to.
      if (error instanceof Refusal && error.refusal === 'unknown-conference' && asked.spec.type === 'open-conference')
        return null;
      throw error;
    });
    try {
      return await this.decide(asked, opened?.feed ?? null);
    } finally {
      opened?.release();
    }
  }

  private async decide(asked: Asked, feed: ConferenceFeed | null): Promise<CommandAck> {
    const { identity, conference, message, spec, data, commandId } = asked;
    const before = feed ? stateOf(feed) : emptyState;
    const allowed = mayCommand(identity, spec, data, before);
    if (allowed !== 'ok') throw allowed;
    await this.limit(spec, identity);
    if (feed && message.after !== undefined && !(await feed.reached(message.after, WAIT_MS)))
      throw new Refusal('behind', undefined, 500);
    if (feed && feed.age() > MAX_AGE_MS) throw new Refusal('behind', undefined, 1_000);
    const state = feed ? stateOf(feed) : emptyState;
    const decision = spec.decide(data as never, {
      conference,
      identity,
      now: new Date(),
      state,
      eventId: (index) => eventIdOf(commandId, index),
    });
    if (decision instanceof Refusal) {
      // I13: a retry is judged by newer state, but its sender is owed the first outcome.
      const known = await this.ports.findOutcome(conference, commandId);
      if (known) return ackOf(known);
      throw decision;
    }
    if (decision.length === 0)
      return { position: null, outcome: 'no-effect', because: 'everything is like that already' };
    if (feed && decision.some((event) => isHeld(feed, event))) throw new Refusal('held', undefined, 60_000);
    const { position, eventIds } = await this.ports.journal.append({
      conference,
      commandId,
      source: `hallway/${identity.role}`,
      actor: identity.actor,
      actorRole: identity.role,
      events: decision,
      ...(message.reason ? { reason: message.reason } : {}),
      ...traceOf(message),
    });
    const subject = decision[0]?.subject ?? eventIds[0] ?? '';
    return this.await(asked, feed, {
      base: Number(position.offset),
      last: Number(position.offset) + decision.length - 1,
      subject,
    });
  }

  /** The outcome once the replica has folded it; bounded, then "pending". */
  private async await(
    { identity, conference, commandId }: Asked,
    feed: ConferenceFeed | null,
    at: { base: number; last: number; subject: string },
  ): Promise<CommandAck> {
    const { subject } = at;
    if (!feed || !(await feed.reached(at.last, WAIT_MS))) {
      const known = feed ? null : await this.firstOutcome(conference, commandId);
      return known ? { ...ackOf(known), subject } : { position: at.base, outcome: 'pending', subject };
    }
    const { list = [] } = (feed.document(`me/${identity.actor}`, 'outcomes/last')?.body ?? {}) as {
      list?: readonly { command: string; outcome: 'no-effect' | 'held' | 'applied'; because: string | null }[];
    };
    const told = list.find(({ command }) => command === commandId);
    return {
      position: at.base,
      outcome: told?.outcome ?? 'applied',
      subject,
      ...(told?.because ? { because: told.because } : {}),
    };
  }

  /** Of a conference that is only now being made: there is no replica to wait for. */
  private async firstOutcome(conference: string, commandId: string): Promise<KnownOutcome | null> {
    const end = performance.now() + 2 * WAIT_MS;
    while (performance.now() < end) {
      const known = await this.ports.findOutcome(conference, commandId);
      if (known) return known;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return null;
  }

  private async limit(spec: CommandSpec, { actor }: Identity): Promise<void> {
    if (!spec.limit) return;
    let limiter = this.limiters.get(spec.type);
    if (!limiter) {
      limiter = new RateLimiterMemory({ points: spec.limit.points, duration: spec.limit.perSeconds });
      this.limiters.set(spec.type, limiter);
    }
    try {
      await limiter.consume(actor);
    } catch (error) {
      if (error instanceof RateLimiterRes) throw new Refusal('rate-limited', undefined, Math.ceil(error.msBeforeNext));
      throw error;
    }
  }

  private toRefusal(error: unknown): Refusal {
    if (error instanceof Refusal) return error;
    if (error instanceof LogUnavailable) return new Refusal('log-unavailable', undefined, 1_000);
    if (error instanceof SubjectErased) return new Refusal('erased');
    if (error instanceof CommandTooLarge) return new Refusal('too-large', error.message);
    this.ports.logger.error({ err: error }, 'a command failed');
    return new Refusal('internal');
  }
}

function read(identity: Identity, conference: string, raw: unknown): Asked {
  const message = parseBounded(commandSchema, raw);
  if (identity.conference !== '*' && identity.conference !== conference) throw new Refusal('wrong-conference');
  const spec = specs.get(message.type);
  if (!spec) throw new Refusal('unknown-command');
  const parsed = spec.schema.safeParse(message.data);
  if (!parsed.success) throw new Refusal('invalid', describeIssues(parsed.error));
  return { identity, conference, message, spec, data: parsed.data, commandId: commandIdOf(identity.actor, message.id) };
}

const ackOf = ({ base, outcome, because }: KnownOutcome): CommandAck => ({
  position: base,
  outcome,
  ...(because ? { because } : {}),
});

const isHeld = (feed: ConferenceFeed, { stream }: NewEvent): boolean =>
  stream !== null && heldChannels(stream).some((channel) => feed.document(channel, `held/${stream}`) !== undefined);

function traceOf(message: Message): { readonly traceparent?: string } {
  const span = trace.getActiveSpan()?.spanContext();
  if (span && span.traceId !== '0'.repeat(32))
    return { traceparent: `00-${span.traceId}-${span.spanId}-0${span.traceFlags & 1}` };
  return message.traceparent ? { traceparent: message.traceparent } : {};
}
