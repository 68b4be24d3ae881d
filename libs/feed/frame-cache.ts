import { LRUCache } from 'lru-cache';
import { defineLimit } from '#libs/limits';
import type { EncodedFrame } from './types.js';

/** Bytes of encoded frames kept by the process; beyond, those used longest ago are encoded again when they are asked for (I9). */
export const MAX_FRAME_BYTES = defineLimit({
  name: 'feed.frames',
  value: 128 * 1024 * 1024,
  unit: 'bytes',
  beyond: 'the frames used longest ago are encoded again when they are needed',
});
/** Of one conference: a busy one must not push out the frames of all others. */
export const MAX_FRAME_BYTES_PER_CONFERENCE = defineLimit({
  name: 'feed.frames.conference',
  value: 32 * 1024 * 1024,
  unit: 'bytes',
  beyond: 'its oldest frames are encoded again when they are needed',
});
/** A frame is kept as text, and as the bytes that leave: text has one or two bytes a character. */
const BYTES_PER_CHARACTER = 3;
const FIXED_BYTES = 300;

export interface FrameLimits {
  readonly bytes: number;
  readonly bytesPerConference: number;
}

/** Of all conferences of a process. */
export class FrameCache {
  readonly #frames: LRUCache<string, EncodedFrame, ConferenceFrames>;
  readonly #limits: FrameLimits;
  readonly #owners = new Map<string, ConferenceFrames>();
  #conferences = 0;

  constructor(limits: FrameLimits = { bytes: MAX_FRAME_BYTES, bytesPerConference: MAX_FRAME_BYTES_PER_CONFERENCE }) {
    this.#limits = limits;
    this.#frames = new LRUCache({
      maxSize: limits.bytes,
      sizeCalculation: sizeOf,
      dispose: (frame, key) => {
        this.#owners.get(key)?.forget(key, frame);
        this.#owners.delete(key);
      },
    });
  }

  get bytes(): number {
    return this.#frames.calculatedSize;
  }

  /** A share for one conference. */
  conference(): ConferenceFrames {
    const id = ++this.#conferences;
    return new ConferenceFrames(`${id}`, this.#limits.bytesPerConference, {
      get: (key) => this.#frames.get(key),
      set: (key, frame, owner) => {
        if (sizeOf(frame) > this.#limits.bytes) return;
        this.#owners.set(key, owner);
        this.#frames.set(key, frame);
      },
      delete: (key) => this.#frames.delete(key),
    });
  }
}

const sizeOf = ({ json }: EncodedFrame): number => json.length * BYTES_PER_CHARACTER + FIXED_BYTES;

interface Store {
  get(key: string): EncodedFrame | undefined;
  set(key: string, frame: EncodedFrame, owner: ConferenceFrames): void;
  delete(key: string): void;
}

/** The frames of one conference. Those of a channel are right until it changes, whatever else does (D20). */
export class ConferenceFrames {
  readonly #id: string;
  readonly #limit: number;
  readonly #store: Store;
  /** Keys of a channel, and all in order of their making. */
  readonly #channels = new Map<string, Set<string>>();
  readonly #keys = new Map<string, string>();
  #bytes = 0;

  constructor(id: string, limit: number, store: Store) {
    this.#id = id;
    this.#limit = limit;
    this.#store = store;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(channel: string, from: number | null): EncodedFrame | undefined {
    return this.#store.get(this.#key(channel, from));
  }

  set(channel: string, from: number | null, frame: EncodedFrame): void {
    const size = sizeOf(frame);
    if (size > this.#limit) return;
    for (const oldest of this.#keys.keys()) {
      if (this.#bytes + size <= this.#limit) break;
      this.#store.delete(oldest);
    }
    const key = this.#key(channel, from);
    this.#bytes += size;
    this.#keys.set(key, channel);
    const known = this.#channels.get(channel);
    if (known) known.add(key);
    else this.#channels.set(channel, new Set([key]));
    this.#store.set(key, frame, this);
  }

  /** It has changed. */
  dropChannel(channel: string): void {
    for (const key of [...(this.#channels.get(channel) ?? [])]) this.#store.delete(key);
  }

  clear(): void {
    for (const key of [...this.#keys.keys()]) this.#store.delete(key);
  }

  /** The store has dropped it. */
  forget(key: string, frame: EncodedFrame): void {
    const channel = this.#keys.get(key);
    if (channel === undefined) return;
    this.#keys.delete(key);
    this.#bytes -= sizeOf(frame);
    const keys = this.#channels.get(channel);
    keys?.delete(key);
    if (keys?.size === 0) this.#channels.delete(channel);
  }

  #key(channel: string, from: number | null): string {
    return `${this.#id} ${from} ${channel}`;
  }
}
