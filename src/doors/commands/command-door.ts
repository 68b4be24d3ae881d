/** One door for commands, whatever brought them: bounded, checked, allowed, decided on the replica, appended, answered with their outcome. */

import { type Context, context, ROOT_CONTEXT, type Span, SpanStatusCode, trace } from '@opentelemetry/api';
import {
  CommandTooLarge,
  commandIdOf,
  eventIdOf,
  type Journal,
  type Lane,
  LogUnavailable,
  type NewEvent,
  SubjectErased,
  UnstorableEvent,
} from '#libs/event-log';
import type { ConferenceFeed, Feed } from '#libs/feed';
import { defineLimit } from '#libs/limits';
import { isTransient, type Logger } from '#libs/postgres';
import { outcomeOf } from '#libs/projector';
import { type CommandAck, Refusal } from '#libs/protocol';
import { isSampled, recorded, spanContextOf } from '#libs/signals';
import { mayCommand } from '../../conference/access.js';
import type { CommandSpec, Identity } from '../../conference/capability.js';
import { emptyState, stateOf } from '../../conference/state.js';
import type { ForeignCommand } from '../../intake/intake.js';
import { openFeed } from '../open-feed.js';
import { RateWindows } from '../rate-window.js';
import { type Announced, CommandAdmission } from './admission.js';
import { ackOf, answerOf, isHeld } from './answers.js';
import { createFreshState } from './fresh-state.js';
import type { LagControl } from './lag-control.js';
import { laneOf } from './lane-of.js';
import type { FindOutcome, KnownOutcome } from './outcomes.js';
import { type Asked, type CommandInLane, OPENING, readCommand } from './read-command.js';
import { seen } from './seen.js';
import { type IdentifiedCommand, UsedIds } from './used-ids.js';

/** A decision on older state than this is refused (design §6). */
const MAX_AGE_MS = defineLimit({
  name: 'commands.feed-age',
  value: 5_000,
  unit: 'ms',
  beyond: 'the command is refused with 103',
});
const WAIT_MS = 1_000;

export interface CommandDoorPorts {
  readonly feed: Feed;
  readonly journal: Journal;
  readonly findOutcome: FindOutcome;
  readonly logger: Logger;
  /** Default: one of its own. */
  readonly lag?: LagControl;
}

export interface CommandDoor {
  /** Of a person. Never throws: what is not an outcome is a numbered refusal. */
  handle(identity: Identity, conference: string, message: unknown, lane?: Lane): Promise<CommandAck>;
  /** A command of this person has come: refused at once, for there are too many, before anything is read of it (D10); or on its way. */
  announce(identity: Identity, conference: string): Refusal | Announced;
  /** Of a producer whose event was checked by the intake; its type is one that is taken from outside. */
  takeForeign(command: ForeignCommand): Promise<CommandAck>;
  /** The outcome of an earlier command of this actor. @throws Refusal not-found */
  outcome(identity: Identity, conference: string, id: string): Promise<CommandAck>;
}

const tracer = trace.getTracer('hallway.doors');

const identified = ({ conference, identity: { actor }, commandId, content }: Asked): IdentifiedCommand => ({
  conference,
  actor,
  commandId,
  content,
});

export const createCommandDoor = (ports: CommandDoorPorts): CommandDoor => new Door(ports);

class Door implements CommandDoor {
  private readonly limiters = new Map<string, RateWindows>();
  private readonly freshState = createFreshState();
  private readonly usedIds: UsedIds;
  private readonly admission: CommandAdmission;

  constructor(private readonly ports: CommandDoorPorts) {
    this.admission = new CommandAdmission(ports.lag);
    this.usedIds = new UsedIds(ports.journal, ports.findOutcome);
  }

  async handle(
    identity: Identity,
    conference: string,
    message: unknown,
    lane: Lane = laneOf(identity),
  ): Promise<CommandAck> {
    // Past the intake a producer would do more than HALLWAY_PRODUCERS allows its source.
    if (identity.role === 'producer') return { refusal: new Refusal('forbidden', 'producers send events').body() };
    const command = { identity, conference, message, sender: identity.actor, lane };
    return this.admission.run(lane, conference, () => this.take(command));
  }

  announce(identity: Identity, conference: string): Refusal | Announced {
    return this.admission.announce(identity, conference);
  }

  takeForeign(command: ForeignCommand): Promise<CommandAck> {
    const producer = spanContextOf(command.traceparent);
    // Over HTTP, too: the request's own span is linked to the producer's trace and no part of it.
    const parent = producer && trace.setSpanContext(ROOT_CONTEXT, producer);
    return this.admission.run('bulk', command.conference, () => this.take({ ...command, lane: 'bulk' }, parent));
  }

  private take(command: CommandInLane, parent: Context = context.active()): Promise<CommandAck> {
    return tracer.startActiveSpan('command', {}, parent, async (span) => {
      const started = performance.now();
      const answer = await this.answer(command, span);
      const outcome = 'refusal' in answer ? String(answer.refusal.code) : answer.outcome;
      span.setAttribute('hallway.outcome', outcome);
      // Found whatever the sampler said: refusals are what people ask about afterwards.
      if ('refusal' in answer) span.setStatus({ code: SpanStatusCode.ERROR }).setAttribute('hallway.keep', true);
      span.end();
      recorded.command.record((performance.now() - started) / 1_000, { outcome });
      return answer;
    });
  }

  private async answer(command: CommandInLane, span: Span): Promise<CommandAck> {
    try {
      const asked = readCommand(command);
      span.setAttribute('hallway.command', asked.spec.type);
      // A link and no parent: whoever holds a phone must not decide what is sampled here.
      const sent = spanContextOf(asked.message.traceparent);
      if (sent && isSampled(sent)) span.addLink({ context: sent });
      return await this.run(asked);
    } catch (error) {
      return { refusal: this.toRefusal(error).body() };
    }
  }

  async outcome({ actor }: Identity, conference: string, id: string): Promise<CommandAck> {
    const known = await this.ports.findOutcome(conference, commandIdOf(conference, actor, id));
    if (!known) throw new Refusal('not-found', 'no outcome of such a command of yours is known (yet)');
    const opened = await this.ports.feed.open(conference);
    if (typeof opened === 'string') return ackOf(known);
    opened.release();
    return { ...ackOf(known), epoch: opened.feed.epoch };
  }

  private async run(asked: Asked): Promise<CommandAck> {
    const { identity, conference, sentBefore } = asked;
    const isForeign = identity.role === 'producer';
    const isOpening = asked.spec.type === OPENING;
    // "There is no such conference" must not be said to whoever has just opened it.
    const opened = await openFeed(this.ports.feed, conference, isOpening ? undefined : sentBefore).catch((error) => {
      if (error instanceof Refusal && error.refusal === 'unknown-conference' && isOpening) return null;
      throw error;
    });
    try {
      const decide = () => this.decideAndAppend(asked, opened?.feed ?? null);
      const ack = await (opened && isForeign ? this.freshState.decide(opened.feed, sentBefore, decide) : decide());
      return opened && 'outcome' in ack ? { ...ack, epoch: opened.feed.epoch } : ack;
    } finally {
      opened?.release();
    }
  }

  private async decideAndAppend(asked: Asked, feed: ConferenceFeed | null): Promise<CommandAck> {
    const { identity, spec, data } = asked;
    const allowed = mayCommand(identity, spec, data, feed ? stateOf(feed) : emptyState);
    if (allowed !== 'ok') throw allowed;
    const refund = this.charge(spec, identity);
    try {
      return await this.decide(asked, feed);
    } catch (error) {
      const refusal = this.toRefusal(error);
      // Whoever is told to try again and does must not be locked out by it, just when an outage is over.
      if (refusal.code < 200) refund();
      throw refusal;
    }
  }

  private async decide(asked: Asked, feed: ConferenceFeed | null): Promise<CommandAck> {
    const { identity, conference, message, spec, data, commandId } = asked;
    if (feed && message.after !== undefined) await seen(feed, message.after, WAIT_MS);
    if (feed && !spec.whileBehind && feed.age() > MAX_AGE_MS) throw new Refusal('behind', undefined, 1_000);
    const state = feed ? stateOf(feed) : emptyState;
    const decision = spec.decide(data as never, {
      conference,
      identity,
      now: new Date(),
      state,
      eventId: (index) => eventIdOf(commandId, index),
    });
    if (decision instanceof Refusal || decision.length === 0 || (feed && decision.some((one) => isHeld(feed, one)))) {
      // I13: a retry is judged by newer state, but its sender is owed the first outcome.
      const known = await this.usedIds.outcomeOf(identified(asked));
      if (known) return ackOf(known);
      if (decision instanceof Refusal) throw decision;
      if (decision.length > 0) throw new Refusal('held', undefined, 60_000);
      return { position: null, outcome: 'no-effect', because: 'everything is like that already' };
    }
    const begun = performance.now();
    const base = await this.append(asked, decision);
    const ack = await this.await(asked, feed, {
      base,
      last: base + decision.length - 1,
      subject: answerOf(data, decision) ?? decision[0]?.subject ?? eventIdOf(commandId, 0),
    });
    this.admission.measured(conference, performance.now() - begun);
    return ack;
  }

  /** @returns offset of the first event */
  private async append(asked: Asked, events: readonly NewEvent[]): Promise<number> {
    const { identity, conference, lane, message, data, commandId, content } = asked;
    const free = this.usedIds.take(identified(asked));
    const answer = answerOf(data, events);
    try {
      const { position } = await this.ports.journal.append({
        conference,
        lane,
        commandId,
        source: `hallway/${identity.role}`,
        actor: identity.actor,
        actorRole: identity.role,
        content,
        events,
        ...(answer ? { answer } : {}),
        ...(message.reason ? { reason: message.reason } : {}),
        ...(message.traceparent ? { traceparent: message.traceparent } : {}),
      });
      return Number(position.offset);
    } catch (error) {
      free();
      throw error;
    }
  }

  /**
   * The outcome once the replica has folded it; bounded, then "pending". It comes from `applied_command`, with the reading that brought
   * the replica there, and not from the sender's `me` document: that one is silent about "applied" and does not know where a repeated command first stood.
   */
  private async await(
    asked: Asked,
    feed: ConferenceFeed | null,
    { base, last, subject }: { base: number; last: number; subject: string },
  ): Promise<CommandAck> {
    const { conference, commandId, lane } = asked;
    const pending: CommandAck = { position: base, outcome: 'pending', subject };
    const folded = await feed?.outcome(commandId, last, WAIT_MS, lane === 'interactive');
    if (feed && folded === undefined) return pending;
    try {
      if (folded?.base === base) return ackOf({ base, outcome: outcomeOf(folded), because: folded.because, subject });
      // It was met before: as this very command, or its id was used for something else.
      const known = await (feed
        ? this.ports.findOutcome(conference, commandId)
        : this.firstOutcome(conference, commandId));
      if (!known) return pending;
      if (known.base !== base) await this.usedIds.refuseOther(identified(asked), known);
      return ackOf(known);
    } catch (error) {
      if (error instanceof Refusal) throw error;
      // The command is in the log: saying "internal" would be a lie that invites a second one.
      this.ports.logger.warn({ err: error }, 'an outcome could not be read');
      return pending;
    }
  }

  /** Of a conference that is only now being made: there is no replica to wait for. */
  private async firstOutcome(conference: string, commandId: string): Promise<KnownOutcome | null> {
    // Known to the replica too: the opener's next command finds the conference.
    const opened = await this.ports.feed.open(conference, performance.now(), 2 * WAIT_MS);
    if (typeof opened === 'object') opened.release();
    return this.ports.findOutcome(conference, commandId);
  }

  /** Counts one command of this actor. @returns what takes the count back */
  private charge(spec: CommandSpec, { actor, role }: Identity): () => void {
    // A producer speaks for many; the intake has a limit of its own.
    if (!spec.limit || role === 'producer') return () => undefined;
    let windows = this.limiters.get(spec.type);
    if (!windows) {
      windows = new RateWindows(spec.limit);
      this.limiters.set(spec.type, windows);
    }
    const counted = windows;
    counted.spend(actor);
    return () => counted.refund(actor);
  }

  private toRefusal(error: unknown): Refusal {
    if (error instanceof Refusal) return error;
    if (error instanceof LogUnavailable) return new Refusal('log-unavailable', undefined, 1_000);
    // The database is away: what is known here is as old as what its screens show.
    if (isTransient(error)) return new Refusal('behind', undefined, 1_000);
    if (error instanceof SubjectErased) return new Refusal('erased');
    if (error instanceof CommandTooLarge) return new Refusal('too-large', error.message);
    if (error instanceof UnstorableEvent) return new Refusal('invalid', error.message);
    this.ports.logger.error({ err: error }, 'a command failed');
    return new Refusal('internal');
  }
}
