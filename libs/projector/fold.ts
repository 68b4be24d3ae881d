/** The pure half of the projector: decoded records in, one plan out. Rows come through a `RowSource`; there is no other I/O, no clock, no random. */
import { setImmediate as eventLoop } from 'node:timers/promises';
import type { DecodedRecord, DecodeFailure, Envelope, EventCatalog, LoggedEvent, LogRecord } from '#libs/event-log';
import { eraseFields, subjectsOf } from '#libs/event-log';
import { auditOf } from './audit-entry.js';
import { Documents, type Shown, type Toucher } from './documents.js';
import { type ErasedSubject, erasedSubject, heldView, outcomesView, untyped } from './engine-tables.js';
import { type ChainStep, extended, markOf } from './history-chain.js';
import { Outcomes } from './outcomes.js';
import { type AppliedChange, LoadFailed, Overlay } from './overlay.js';
import { Parking } from './parking.js';
import type { AuditWrite, BatchPlan, ConferenceSelect, DeadLetterWrite, RowSource } from './plan.js';
import { Prefetch } from './prefetch.js';
import type { EventHandler, ProjectionSet, RowChange } from './projection.js';
import { Release, type ReleaseSlice } from './release.js';
import { pick } from './row-keys.js';
import type { Treatment, Treatments } from './treatment.js';
import { plain, reasonOf, Unfoldable } from './unfoldable.js';

export interface FoldInput {
  readonly set: ProjectionSet;
  readonly catalog: EventCatalog;
  readonly partition: number;
  readonly expected: bigint;
  readonly next: bigint;
  readonly records: readonly DecodedRecord[];
  readonly source: RowSource;
  /** Rows known from the batches before, all of which are written or about to be. Default: none. */
  readonly overlay?: Overlay;
  /** Decodes parked records again (their keys are looked up as for any batch). */
  decode(records: readonly LogRecord[]): Promise<readonly DecodedRecord[]>;
  /** Offsets that an operator dropped before: the permanent table. */
  isSkipped(conference: string, offset: number): boolean;
  /** Events of this batch that cannot be folded or stored (D1). Default: none. */
  readonly treatments?: Treatments;
  /** The fold lives: called every few events. */
  readonly onProgress?: () => void;
  /** The batch is one `event-skipped` alone, and folds so much of what waits behind it. Default: all. */
  readonly release?: ReleaseSlice;
}

/** Records folded before the event loop gets its turn: sockets and the writing of the batch before share it. */
const AT_A_STRETCH = 25;

export type FoldVerdict = { readonly changed: boolean; readonly noEffect: string | null };

/** @throws ProjectionFailed when a document cannot be rendered: fold the commands one by one to find which */
export async function foldBatch(input: FoldInput): Promise<BatchPlan> {
  try {
    return await new Fold(input).run();
  } catch (error) {
    throw error instanceof LoadFailed ? error.cause : error;
  }
}

export class Fold {
  readonly overlay: Overlay;
  readonly documents: Documents;
  readonly outcomes: Outcomes;
  readonly skipped: BatchPlan['skipped'][number][] = [];
  private readonly parking: Parking;
  private readonly handlers = new Map<string, EventHandler[]>();
  private readonly audit: AuditWrite[] = [];
  /** By conference and subject: two commands of one batch may erase the same person. */
  private readonly erased = new Map<string, BatchPlan['erased'][number]>();
  private readonly deadLetters: DeadLetterWrite[] = [];
  private readonly heads = new Map<string, number>();
  private readonly chain = new Map<string, ChainStep>();
  readonly prefetch: Prefetch;
  private missingKeys = 0;
  /** A release goes on with the next slice: the log's place stays, and nobody sees anything yet. */
  private unfinished = false;

  constructor(readonly input: FoldInput) {
    const { set } = input;
    this.overlay = input.overlay ?? new Overlay(input.source);
    this.overlay.begin();
    const views = set.projections.flatMap((projection) => projection.documents);
    this.documents = new Documents([...views, heldView(set.heldChannels), outcomesView], this.overlay);
    this.outcomes = new Outcomes(this.overlay, this.documents);
    this.parking = new Parking(this);
    for (const projection of set.projections) {
      for (const [type, handler] of Object.entries(projection.on))
        this.handlers.set(type, [...(this.handlers.get(type) ?? []), handler]);
    }
    this.prefetch = new Prefetch(this.overlay, input.catalog, (type) => this.handlers.get(type) ?? []);
  }

  async run(): Promise<BatchPlan> {
    const { partition, expected, next, records, onProgress } = this.input;
    await this.prefetch.run(this.envelopes(), this.toFold());
    for (const [index, decoded] of records.entries()) {
      if (index % AT_A_STRETCH === AT_A_STRETCH - 1) {
        onProgress?.();
        await eventLoop();
      }
      await this.foldRecord(decoded);
    }

    const documents = await this.documents.render();
    return {
      partition,
      expected,
      next: this.unfinished ? expected : next,
      unfinished: this.unfinished,
      rows: this.overlay.writes(),
      documents,
      audit: this.audit,
      skipped: this.skipped,
      erased: [...this.erased.values()],
      deadLetters: this.deadLetters,
      heads: this.unfinished ? new Map() : this.heads,
      chain: this.unfinished ? new Map() : this.chain,
      missingKeys: this.missingKeys,
      traceparents: records.flatMap((decoded) =>
        'event' in decoded && decoded.event.traceparent ? [decoded.event.traceparent] : [],
      ),
      events: records.length,
    };
  }

  /** Events whose outcome is read and written, whatever becomes of them. */
  private envelopes(): readonly Envelope[] {
    return this.input.records.flatMap((decoded) => {
      if (this.treatmentOf(decoded)?.step === 'quarantine') return [];
      if ('event' in decoded) return [decoded.event];
      return decoded.failure.kind === 'unfoldable' ? [decoded.failure.envelope] : [];
    });
  }

  /** D1: what is parked, quarantined or dropped reads nothing by its own texts. */
  private toFold(): readonly LoggedEvent[] {
    return this.input.records.flatMap((decoded) => {
      if (!('event' in decoded) || this.treatmentOf(decoded)) return [];
      const { conference, position } = decoded.event;
      return this.input.isSkipped(conference, Number(position.offset)) ? [] : [decoded.event];
    });
  }

  private treatmentOf({ record }: DecodedRecord): Treatment | undefined {
    return this.input.treatments?.get(record.offset);
  }

  private async foldRecord(decoded: DecodedRecord): Promise<void> {
    const { record } = decoded;
    const treatment = this.treatmentOf(decoded);
    if (treatment?.step === 'quarantine') return this.quarantine(decoded, treatment.reason);
    if ('failure' in decoded && decoded.failure.kind === 'unreadable')
      return void this.deadLetters.push({ reason: plain(decoded.failure.reason), record });
    const event = 'event' in decoded ? decoded.event : envelopeOf(decoded.failure);
    const { conference, stream } = event;
    const version = safeNumber(event.position.offset);
    this.heads.set(conference, version);
    this.chain.set(conference, extended(this.chain.get(conference), version, event.id));
    if ('event' in decoded) this.missingKeys += decoded.event.missingKeys;
    const command = await this.outcomes.open(event);
    if (!command) return; // I13: the command was met before at another offset.
    const { time: appendedAt, traceparent = null } = event;
    const by: Toucher = { conference, version, mark: markOf(event.id), traceparent, appendedAt };
    if (this.input.isSkipped(conference, version)) {
      if ('event' in decoded) await this.eraseAnyway(decoded.event, by);
      return this.outcomes.settle(command, { changed: false, noEffect: 'dropped by an operator' }, by);
    }
    if (stream !== null && (await this.parking.isHeld(conference, stream)))
      return this.parking.park({ record, event, command, by, reason: 'waits for its stream' });
    try {
      if (treatment) throw new Unfoldable(treatment.reason);
      if ('failure' in decoded) throw new Unfoldable(decoded.failure.reason);
      const verdict = await this.foldEvent(decoded.event, by);
      if (!this.unfinished) await this.outcomes.settle(command, verdict, by);
    } catch (error) {
      if (error instanceof LoadFailed) throw error;
      const reason = reasonOf(error);
      if ('event' in decoded) await this.eraseAnyway(decoded.event, by);
      if (stream !== null) await this.parking.park({ record, event, command, by, reason });
      else {
        // It belongs to no stream, so nothing can wait for it.
        this.deadLetters.push({ reason, record });
        await this.outcomes.settle(command, { changed: false, noEffect: 'could not be folded' }, by);
      }
    }
  }

  /** Neither its head nor its outcome: they are written by its texts. */
  private quarantine(decoded: DecodedRecord, reason: string): void {
    this.deadLetters.push({ reason, record: decoded.record });
    if ('event' in decoded && decoded.event.type === this.input.set.erasure) this.emptyKey(decoded.event);
  }

  /** Folds one event at a version (its own offset, or the offset that released it). Changes nothing if a projection throws. */
  async foldEvent(original: LoggedEvent, by: Toucher): Promise<FoldVerdict> {
    const event = await this.withoutErased(original);
    if (event.type === this.input.set.skip) {
      const verdict = await new Release(this, event, by).run();
      this.unfinished ||= verdict === null;
      if (verdict) this.note(event, by, [], verdict.noEffect);
      return verdict ?? { changed: true, noEffect: null };
    }
    await this.eraseAnyway(event, by);
    const { changes, shown, noEffect } = await this.foldAtomically(event);
    await this.documents.touchRefs(shown, by);
    this.note(event, by, changes, noEffect);
    return { changed: noEffect === null, noEffect };
  }

  private async foldAtomically(
    event: LoggedEvent,
  ): Promise<{ changes: readonly AppliedChange[]; shown: readonly Shown[]; noEffect: string | null }> {
    const { conference, type } = event;
    const changes: AppliedChange[] = [];
    this.overlay.mark();
    try {
      for (const handler of this.handlers.get(type) ?? []) {
        if (!this.prefetch.isLoaded(event)) await this.prefetch.load([{ event, handler }]);
        const result = handler.fold(event, this.overlay.view(conference, false));
        if ('noEffect' in result) {
          // An event applies as a whole or not at all: a projection that judges it void judges for all.
          this.overlay.rollback();
          return { changes: [], shown: [], noEffect: result.noEffect };
        }
        await this.overlay.ensure(result.map((change) => keyOfChange(conference, change)));
        changes.push(...result.map((change) => this.overlay.apply(conference, change)));
      }
      return { changes, shown: this.documents.refsOf(changes), noEffect: null };
    } catch (error) {
      this.overlay.rollback();
      throw error;
    }
  }

  /** I14: the erasure holds whatever a projection, the database or an operator makes of its event. */
  private async eraseAnyway(event: LoggedEvent, by: Toucher): Promise<void> {
    if (event.type !== this.input.set.erasure) return;
    const { conference, position } = event;
    const row: ErasedSubject = { subject: this.emptyKey(event), offset: safeNumber(position.offset) };
    await this.documents.touch([this.overlay.put(conference, untyped(erasedSubject), row)], by);
  }

  private emptyKey({ conference, data, time: at }: LoggedEvent): string {
    const subject = String(data.subject);
    const id = JSON.stringify([conference, subject]);
    if (!this.erased.has(id)) this.erased.set(id, { conference, subject, at });
    return subject;
  }

  /** Records that were parked, again. */
  async decode(records: readonly LogRecord[]): Promise<readonly DecodedRecord[]> {
    try {
      return await this.input.decode(records);
    } catch (cause) {
      throw new LoadFailed('keys could not be loaded', { cause });
    }
  }

  /** I14: who was erased earlier in log order has no text, whatever a key still opens. */
  private async withoutErased(event: LoggedEvent): Promise<LoggedEvent> {
    const type = this.input.catalog.get(event.type);
    if (!type || type.personal.length === 0) return event;
    const { conference } = event;
    let blanked = event;
    for (const subject of subjectsOf(event, type)) {
      await this.overlay.ensure([{ conference, select: { table: untyped(erasedSubject), where: { subject } } }]);
      if (this.overlay.view(conference, false).get(erasedSubject, { subject }))
        blanked = eraseFields(blanked, subject, type);
    }
    return blanked;
  }

  private note(event: LoggedEvent, by: Toucher, changes: readonly AppliedChange[], noEffect: string | null): void {
    if (this.input.set.audited.has(event.type)) this.audit.push(auditOf({ event, by, changes, noEffect }));
  }
}

/** I3: what a row was before is known for each change, declared or not: the audit and the documents that showed it depend on it. */
const keyOfChange = (conference: string, change: RowChange): ConferenceSelect => {
  const { table } = change;
  return { conference, select: { table, where: pick('put' in change ? change.put : change.remove, table.key) } };
};

const envelopeOf = (failure: DecodeFailure): LoggedEvent => {
  if (failure.kind === 'unreadable') throw new Error('there is no envelope');
  return { ...failure.envelope, data: {}, sealed: {}, missingKeys: 0 };
};

/** @throws RangeError beyond 2^53: versions cross the wire as JSON numbers */
export function safeNumber(offset: bigint): number {
  if (offset > BigInt(Number.MAX_SAFE_INTEGER)) throw new RangeError('this offset is larger than a version can be');
  return Number(offset);
}
