import { type Cursor, isPrivateChannel } from '#libs/protocol';
import { ChannelState, type StoredDocument } from './channel-state.js';
import { encodeFrame } from './encode.js';
import { type ConferenceFrames, FrameCache } from './frame-cache.js';
import { History, type HistoryEntry } from './history.js';
import type { EncodedFrame, FeedDocument, Resume } from './types.js';

export interface LoadedConference {
  readonly epoch: string;
  readonly head: number;
  /** Tombstones up to here are gone from the table. */
  readonly floor: number;
  /** In order of version. */
  readonly documents: readonly StoredDocument[];
  /** In order of head, up to `head`. */
  readonly history?: readonly HistoryEntry[];
}

/** A conference's channels at one head, and the frames made of them, each encoded once until its channel changes (I8). Pure: no clock, no I/O. */
export class ConferenceState {
  #epoch = '';
  #head = -1;
  #floor = -1;
  #channels = new Map<string, ChannelState>();
  readonly #frames: ConferenceFrames;
  #history = new History();

  constructor(loaded: LoadedConference, frames: ConferenceFrames = new FrameCache().conference()) {
    this.#frames = frames;
    this.reload(loaded);
  }

  get epoch(): string {
    return this.#epoch;
  }

  get head(): number {
    return this.#head;
  }

  get channels(): ReadonlyMap<string, ChannelState> {
    return this.#channels;
  }

  /** Of the history up to the head; undefined where it was not kept. */
  get proof(): string | undefined {
    return this.#history.proofAt(this.#head);
  }

  /** Replaces everything. */
  reload(loaded: LoadedConference): ReadonlySet<string> {
    this.#epoch = loaded.epoch;
    this.#floor = loaded.floor;
    this.#head = -1;
    this.#channels = new Map();
    this.#frames.clear();
    this.#history = new History();
    return this.apply(loaded.documents, loaded.head, loaded.history);
  }

  /** Documents in order of version, and the head they are complete to. @returns the channels that changed */
  apply(
    documents: readonly StoredDocument[],
    head: number,
    history: readonly HistoryEntry[] = [],
  ): ReadonlySet<string> {
    this.#history.add(history);
    const changed = new Set<string>();
    for (const document of documents) {
      let channel = this.#channels.get(document.channel);
      if (!channel) {
        channel = new ChannelState(this.#floor);
        this.#channels.set(document.channel, channel);
      }
      if (channel.apply(document)) changed.add(document.channel);
    }
    for (const channel of changed) this.#frames.dropChannel(channel);
    this.#head = Math.max(this.#head, head);
    return changed;
  }

  document(channel: string, key: string): FeedDocument | undefined {
    return this.#channels.get(channel)?.get(key);
  }

  documents(channel: string): readonly (FeedDocument & { readonly key: string })[] {
    return this.#channels.get(channel)?.living() ?? [];
  }

  lastChange(channel: string): number {
    return this.#channels.get(channel)?.lastChange ?? this.#floor;
  }

  /** Of a channel's living documents at the head (`ContentSum`). */
  sum(channel: string): number {
    return this.#channels.get(channel)?.sum ?? 0;
  }

  floor(channel: string): number {
    return this.#channels.get(channel)?.floor ?? this.#floor;
  }

  resume(channel: string, cursor: Cursor | null): Resume {
    if (cursor === null) return { kind: 'snapshot', frame: this.#frame(channel, null) };
    const [epoch, to, proof] = cursor;
    if (epoch !== this.#epoch || to > this.#head) return { kind: 'ahead' };
    if (proof !== undefined && this.#history.contradicts(to, proof))
      return { kind: 'parted', frame: this.#frame(channel, null) };
    const frame = this.changes(channel, to);
    if (frame === null) return { kind: 'current' };
    return { kind: frame.from === null ? 'snapshot' : 'changes', frame };
  }

  changes(channel: string, from: number): EncodedFrame | null {
    if (from >= this.lastChange(channel)) return null;
    const state = this.#channels.get(channel);
    if (!state || from < state.floor) return this.#frame(channel, null);
    // All who lack the same get the same frame: places between two changes are one place. Before the first change that is 0, which
    // every copy is complete to.
    return this.#frame(channel, Math.max(state.changeBefore(from), Math.min(from, 0)));
  }

  /** Its memory is given back. */
  end(): void {
    this.#frames.clear();
  }

  /** A frame's `to` is the head at which it was encoded: nothing of the channel has changed since. */
  #frame(channel: string, from: number | null): EncodedFrame {
    const known = this.#frames.get(channel, from);
    if (known) return known;
    const state = this.#channels.get(channel);
    const documents = (from === null ? state?.living() : state?.after(from)) ?? [];
    const frame = encodeFrame({ epoch: this.#epoch, channel, from, to: this.#head, proof: this.proof }, documents);
    // Nobody else needs it: those of a hall would push out what all need.
    if (!isPrivateChannel(channel)) this.#frames.set(channel, from, frame);
    return frame;
  }
}
