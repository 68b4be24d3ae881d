import { defineLimit } from '#libs/limits';
import { ContentSum } from '#libs/protocol';
import type { FeedDocument } from './types.js';

/** A row of `feed_document` as the tail reads it; `json` is the body's text, null for a tombstone. */
export interface StoredDocument {
  readonly channel: string;
  readonly key: string;
  readonly version: number;
  /** Of the event at this version. */
  readonly mark: string;
  readonly json: string | null;
  readonly traceparent: string | null;
  /** When its last event was appended, milliseconds since 1970. */
  readonly appendedAt: number;
}

/** Deleted documents remembered per channel; a follower further behind gets a snapshot (I9). */
export const MAX_TOMBSTONES = defineLimit({
  name: 'feed.channel.tombstones',
  value: 2_000,
  unit: 'documents',
  beyond: 'the oldest is forgotten; a cursor below it gets a snapshot',
});

interface Held extends FeedDocument {
  readonly key: string;
  readonly mark: string;
  readonly json: string | null;
  readonly traceparent: string | null;
  readonly appendedAt: number;
}

/** Documents stay text until somebody asks for the body: most are only ever sent on. */
class HeldDocument implements Held {
  readonly key: string;
  readonly version: number;
  readonly mark: string;
  readonly json: string | null;
  readonly traceparent: string | null;
  readonly appendedAt: number;
  #body: unknown;

  constructor(stored: StoredDocument) {
    this.key = stored.key;
    this.version = stored.version;
    this.mark = stored.mark;
    this.json = stored.json;
    this.traceparent = stored.traceparent;
    this.appendedAt = stored.appendedAt;
  }

  get body(): unknown {
    if (this.#body === undefined) this.#body = this.json === null ? null : JSON.parse(this.json);
    return this.#body;
  }
}

/** One channel's documents and tombstones. */
export class ChannelState {
  /** In order of version, or nearly: versions arrive in order. */
  readonly #documents = new Map<string, Held>();
  /** In order of version, for versions arrive in order. */
  readonly #tombstones = new Set<string>();
  readonly #loadedFloor: number;
  readonly #sum = new ContentSum();
  #droppedFloor = -1;
  #lastChange = -1;
  #living: readonly Held[] | undefined;
  #byVersion: readonly Held[] | undefined;

  /** @param loadedFloor tombstones up to this version were already gone when the channel was read */
  constructor(loadedFloor: number) {
    this.#loadedFloor = loadedFloor;
  }

  /** Newest tombstone no longer kept: a copy complete to less cannot be brought up to date by changes. */
  get floor(): number {
    return Math.max(this.#loadedFloor, this.#droppedFloor);
  }

  get lastChange(): number {
    return Math.max(this.#lastChange, this.floor);
  }

  /** Of the living documents (`ContentSum`). */
  get sum(): number {
    return this.#sum.value;
  }

  /** Applies only what is newer (I5). @returns whether anything changed */
  apply(stored: StoredDocument): boolean {
    const before = this.#documents.get(stored.key);
    if (stored.version <= (before?.version ?? this.#droppedFloor)) return false;
    if (before && before.json !== null) this.#sum.remove(before.key, before.version, before.mark);
    if (stored.json !== null) this.#sum.add(stored.key, stored.version, stored.mark);
    this.#documents.delete(stored.key);
    this.#documents.set(stored.key, new HeldDocument(stored));
    this.#living = undefined;
    this.#byVersion = undefined;
    this.#lastChange = Math.max(this.#lastChange, stored.version);
    this.#tombstones.delete(stored.key);
    if (stored.json === null) this.#bury(stored.key);
    return true;
  }

  /** What `sum` must be. */
  recomputedSum(): number {
    const sum = new ContentSum();
    for (const { key, version, mark } of this.living()) sum.add(key, version, mark);
    return sum.value;
  }

  /** A living document or a tombstone. */
  held(key: string): Held | undefined {
    return this.#documents.get(key);
  }

  get(key: string): FeedDocument | undefined {
    const held = this.#documents.get(key);
    return held?.json === null ? undefined : held;
  }

  /** Living documents in order of key. */
  living(): readonly Held[] {
    this.#living ??= [...this.#documents.values()].filter(({ json }) => json !== null).sort(byKey);
    return this.#living;
  }

  /** Documents and tombstones with a version after `from`, in order of key. */
  after(from: number): readonly Held[] {
    return this.#ordered().slice(this.#indexAfter(from)).sort(byKey);
  }

  /** Version of the last change up to `from`; the floor, if there is none. */
  changeBefore(from: number): number {
    return Math.max(this.#ordered()[this.#indexAfter(from) - 1]?.version ?? -1, this.floor);
  }

  #ordered(): readonly Held[] {
    this.#byVersion ??= [...this.#documents.values()].sort((a, b) => a.version - b.version);
    return this.#byVersion;
  }

  /** Index of the first with a version after `from`. */
  #indexAfter(from: number): number {
    const all = this.#ordered();
    let low = 0;
    let high = all.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((all[middle] as Held).version <= from) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #bury(key: string): void {
    this.#tombstones.add(key);
    if (this.#tombstones.size <= MAX_TOMBSTONES) return;
    const [oldest] = this.#tombstones;
    if (oldest === undefined) return;
    this.#droppedFloor = Math.max(this.#droppedFloor, this.#documents.get(oldest)?.version ?? 0);
    this.#tombstones.delete(oldest);
    this.#documents.delete(oldest);
    this.#byVersion = undefined;
  }
}

function byKey(a: Held, b: Held): number {
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
}

export type { Held };
