/**
 * `event-skipped {offset}`: that event is dropped and the rest of its stream folds here, in order, until the next that cannot. In slices,
 * each a transaction of its own at the same place of the log, so that the longest stream keeps neither the lease nor the memory: first the
 * rows, then the documents that the rows have touched. Each document is rendered once, when no row changes any more, and nobody sees it before the
 * head moves, with the last slice: any slicing ends in the same rows and documents (I3).
 */
import type { DecodedRecord, LoggedEvent } from '#libs/event-log';
import type { Toucher } from './documents.js';
import {
  type HeldStream,
  heldStream,
  type ParkedEvent,
  type PostponedDocument,
  parkedEvent,
  postponedDocument,
  untyped,
} from './engine-tables.js';
import type { Fold, FoldVerdict } from './fold.js';
import { LoadFailed } from './overlay.js';
import { HELD, unpackRecord } from './parking.js';
import { reasonOf } from './unfoldable.js';

/** How much one slice may do. */
export interface ReleaseSlice {
  /** Waiting events that it folds. */
  readonly events: number;
  /** Documents that it renders. */
  readonly documents: number;
  /** Asked before each event: its time is over, or it has read enough. */
  isOver(bytes: number): boolean;
  /** Waiting events that the database refused: they hold their stream again, for this reason. */
  readonly refused: ReadonlyMap<number, string>;
  /** It is about to fold this waiting event. */
  onTry(offset: number): void;
}

/** Waiting events looked up at once. */
const CHUNK = 20;

const UNBOUNDED: ReleaseSlice = {
  events: Number.POSITIVE_INFINITY,
  documents: Number.POSITIVE_INFINITY,
  isOver: () => false,
  refused: new Map(),
  onTry: () => undefined,
};

const DONE: FoldVerdict = { changed: true, noEffect: null };

export class Release {
  private readonly slice: ReleaseSlice;

  constructor(
    private readonly fold: Fold,
    private readonly event: LoggedEvent,
    private readonly by: Toucher,
  ) {
    this.slice = fold.input.release ?? UNBOUNDED;
  }

  /** @returns null: there is more to do, by another slice */
  async run(): Promise<FoldVerdict | null> {
    const held = (await this.resumed()) ?? (await this.drop());
    if ('noEffect' in held) return held;
    const rows = held.folded ? held : await this.rows(held);
    if (rows === null) return null;
    const isLong = rows.touched > 0 || this.fold.documents.touched > this.slice.documents;
    const rest = isLong ? await this.documents(this.postponed(rows)) : rows;
    return rest === null ? null : this.end(rest);
  }

  private get conference(): string {
    return this.event.conference;
  }

  private get view() {
    return this.fold.overlay.view(this.conference, false);
  }

  /** The stream that an earlier slice of this event has begun with. */
  private async resumed(): Promise<HeldStream | undefined> {
    const where = { releasing: this.by.version };
    await this.fold.overlay.ensure([{ conference: this.conference, select: { table: untyped(heldStream), where } }]);
    return this.view.all(heldStream, where)[0];
  }

  private async drop(): Promise<HeldStream | FoldVerdict> {
    const { conference, fold } = this;
    const offset = Number(this.event.data.offset);
    await fold.overlay.ensure([{ conference, select: { table: untyped(parkedEvent), where: { offset } } }]);
    const dropped = this.view.get(parkedEvent, { offset });
    // In a later build it was dropped at its own offset already.
    if (!dropped)
      return fold.input.isSkipped(conference, offset) ||
        fold.skipped.some((one) => one.conference === conference && one.offset === offset)
        ? DONE
        : { changed: false, noEffect: 'nothing is parked at this offset' };
    const { stream } = dropped;
    await fold.overlay.ensure([{ conference, select: { table: untyped(heldStream), where: { stream } } }]);
    fold.skipped.push({ conference, offset, by: this.event.actor, at: this.event.time });
    await this.unpark(dropped, { changed: false, noEffect: 'dropped by an operator' });
    const held = this.view.get(heldStream, { stream });
    if (!held) throw new RangeError('an event is parked, and its stream is not held');
    return { ...held, releasing: this.by.version };
  }

  /** @returns the stream as it is when all that can be folded was; null: another slice goes on */
  private async rows(held: HeldStream): Promise<HeldStream | null> {
    let place = held.first;
    let bytes = 0;
    for (let events = 0; place <= held.last; ) {
      if (events >= this.slice.events) return this.pause({ ...held, first: place });
      const count = Math.min(CHUNK, held.last - place + 1, this.slice.events - events);
      for (const { parked, decoded } of await this.waiting(held.stream, place, count)) {
        if (events > 0 && this.slice.isOver(bytes)) return this.pause({ ...held, first: parked.seq });
        this.slice.onTry(parked.offset);
        const verdict = this.slice.refused.get(parked.offset) ?? (await this.tryFold(decoded));
        if (typeof verdict === 'string') {
          this.fold.overlay.put(this.conference, untyped(parkedEvent), { ...parked, reason: verdict });
          return { ...held, first: parked.seq, offset: parked.offset, folded: true };
        }
        await this.unpark(parked, verdict);
        bytes += decoded?.record.value?.length ?? 0;
        events += 1;
      }
      place += count;
    }
    return { ...held, first: place, folded: true };
  }

  /** What waits at these places, with all that folding it needs: a few statements for many events. */
  private async waiting(stream: string, first: number, count: number) {
    const { conference, fold } = this;
    const places = Array.from({ length: count }, (_, index) => ({ stream, seq: first + index }));
    await fold.overlay.ensure(places.map((where) => ({ conference, select: { table: untyped(parkedEvent), where } })));
    const parked = places.flatMap((where) => [...this.view.all(parkedEvent, where)]);
    const decoded = await fold.decode(parked.map(unpackRecord));
    const events = decoded.flatMap((one) => ('event' in one ? [one.event] : []));
    await fold.prefetch.run(events, events);
    return parked.map((one, index) => ({ parked: one, decoded: decoded[index] }));
  }

  /** @returns what came of it, or why it still cannot be folded */
  private async tryFold(decoded: DecodedRecord | undefined): Promise<FoldVerdict | string> {
    if (!decoded || !('event' in decoded)) return decoded ? decoded.failure.reason : 'unreadable';
    try {
      return await this.fold.foldEvent(decoded.event, this.by);
    } catch (error) {
      if (error instanceof LoadFailed) throw error;
      return reasonOf(error);
    }
  }

  /** The documents of this slice are put off: another slice may change their rows again. */
  private pause(held: HeldStream): null {
    this.fold.overlay.put(this.conference, untyped(heldStream), this.postponed(held));
    return null;
  }

  private postponed(held: HeldStream): HeldStream {
    const { overlay, documents } = this.fold;
    let { touched } = held;
    for (const one of documents.postpone()) {
      const row: PostponedDocument = { releasing: this.by.version, seq: touched++, ...one };
      overlay.put(this.conference, untyped(postponedDocument), row);
    }
    return { ...held, touched };
  }

  private async documents(held: HeldStream): Promise<HeldStream | null> {
    const { conference, fold } = this;
    const count = Math.min(this.slice.documents, held.touched - held.rendered);
    const keys = Array.from({ length: count }, (_, index) => ({
      releasing: this.by.version,
      seq: held.rendered + index,
    }));
    await fold.overlay.ensure(
      keys.map((where) => ({ conference, select: { table: untyped(postponedDocument), where } })),
    );
    const postponed = keys.flatMap((key) => this.view.get(postponedDocument, key) ?? []);
    await fold.documents.touchLater(postponed, this.by);
    for (const key of keys) fold.overlay.remove(conference, untyped(postponedDocument), key);
    const next = { ...held, rendered: held.rendered + count };
    if (next.rendered >= next.touched) return next;
    fold.overlay.put(conference, untyped(heldStream), next);
    return null;
  }

  private async end(held: HeldStream): Promise<FoldVerdict> {
    const { conference, fold } = this;
    const { stream } = held;
    // It stays held where one could not be folded; what an operator sees is the event that now holds it.
    const change =
      held.first <= held.last
        ? fold.overlay.put(conference, untyped(heldStream), { ...held, ...HELD } satisfies HeldStream)
        : fold.overlay.remove(conference, untyped(heldStream), { stream });
    await fold.documents.touch([change], this.by);
    return DONE;
  }

  private async unpark(parked: ParkedEvent, verdict: FoldVerdict): Promise<void> {
    const { conference, fold, by } = this;
    fold.overlay.remove(conference, untyped(parkedEvent), { offset: parked.offset });
    const { headers } = unpackRecord(parked);
    const text = (name: string) => headers.get(name)?.toString('utf8') ?? '';
    const command = { conference, commandId: text('ce_commandid'), actor: text('ce_actor') };
    await fold.outcomes.release(command, verdict, by);
  }
}
