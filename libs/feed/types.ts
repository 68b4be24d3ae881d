/** The read half: an in-memory, resumable copy of each conference's documents, fed by a tail of Postgres. */
import type { Cursor } from '#libs/protocol';
import type { FoldedCommand } from './awaited-outcomes.js';

/** One frame, encoded once and shared by all who need the same. `json` is the text of a `Frame` (libs/protocol). */
export interface EncodedFrame {
  readonly channel: string;
  /** null: a snapshot. */
  readonly from: number | null;
  readonly to: number;
  readonly json: string;
  /** When the oldest event in it was appended, milliseconds since 1970; 0: there is none. */
  readonly appendedAt: number;
  /** The newest sampled context of those below: a client that tells of this frame tells of it. */
  readonly traceparent?: string;
  /** Trace contexts of what changed, for links. */
  readonly traceparents: readonly (string | null)[];
}

/** What a subscriber with a given cursor must be sent. */
export type Resume =
  | { readonly kind: 'current' }
  | { readonly kind: 'changes' | 'snapshot'; readonly frame: EncodedFrame }
  /** The cursor was counted in another history: a snapshot (SPEC F8). */
  | { readonly kind: 'parted'; readonly frame: EncodedFrame }
  /** The cursor is of another epoch or ahead of this replica: ask again after `settled` (bounded). */
  | { readonly kind: 'ahead' };

export interface FeedDocument {
  readonly version: number;
  readonly body: unknown;
}

/** Called after the replica advanced, with everything that changed since the previous call. */
export interface Advance {
  readonly epoch: string;
  readonly head: number;
  /** Channels with a document changed after `from`. */
  readonly channels: ReadonlySet<string>;
  readonly from: number;
  /** The replica was reloaded (another epoch, too far behind): every follower must resume. */
  readonly reloaded: boolean;
}

export interface ConferenceFeed {
  readonly conference: string;
  readonly epoch: string;
  /** Last folded offset this replica has read. */
  readonly head: number;
  /** Of the history up to the head. */
  readonly proof: string | undefined;
  /** Milliseconds since the pipeline was last known to be complete (database `now` − `as_of`, plus time since it was read). */
  age(): number;
  document(channel: string, key: string): FeedDocument | undefined;
  /** Living documents of a channel, in order of key; empty for a channel without any. */
  documents(channel: string): readonly (FeedDocument & { readonly key: string })[];
  /** Version of the last change of a channel, or its floor if higher; -1 if it never had a document. */
  lastChange(channel: string): number;
  floor(channel: string): number;
  /** Of the channel's living documents at the head (`ContentSum`); 0: there is none. */
  sum(channel: string): number;
  /** Frame for a follower complete to `cursor`; never touches the database (I8). */
  resume(channel: string, cursor: Cursor | null): Resume;
  /** Changes after `from` as one shared frame up to the head; null if nothing changed. `from` below the floor gives a snapshot. */
  changes(channel: string, from: number): EncodedFrame | null;
  /** Resolves true once head ≥ offset, false after `timeoutMs`. */
  reached(offset: number, timeoutMs: number): Promise<boolean>;
  /**
   * What became of a command whose last event stands at `offset`, once the replica has folded it; undefined: not within `timeoutMs`; null:
   * folded, but what became of this command is to be looked up. `isFirst`: told before others that the same reading answers.
   */
  outcome(
    commandId: string,
    offset: number,
    timeoutMs: number,
    isFirst?: boolean,
  ): Promise<FoldedCommand | null | undefined>;
  /** Resolves true once the replica has an `as_of` later than this call, false after `timeoutMs` (I6). */
  settled(timeoutMs: number): Promise<boolean>;
  /** A client found a snapshot of it wrong: it is the next to be compared with the database. */
  suspect(): void;
  onAdvance(listener: (advance: Advance) => void): () => void;
}

/** Identity of what a channel shows, for caches: changes with whatever changes it, a restore among them (S16). */
export const contentTag = (feed: Pick<ConferenceFeed, 'epoch' | 'lastChange' | 'sum'>, channel: string): string =>
  `${feed.epoch}-${feed.lastChange(channel)}-${feed.sum(channel).toString(36)}`;

/** Refusal to load a conference now, or knowledge that it does not exist. */
export type OpenFailure = 'busy' | 'unknown' | 'unavailable';

export interface Feed {
  /**
   * Loads on first use (one load at a time; bounded waiters) and holds until `release`; evicted when idle and unheld.
   * @param since (`performance.now()`) what happened before must be known: unknown is then only what is not there once all of that is
   *   folded; unavailable, if that takes more than `withinMs` (5 s)
   */
  open(
    conference: string,
    since?: number,
    withinMs?: number,
  ): Promise<{ readonly feed: ConferenceFeed; release(): void } | OpenFailure>;
  /** Conferences that exist in the live generation, from memory where fresh (≤ 1 s). */
  conferences(): Promise<readonly string[]>;
  /** Milliseconds since the tail last read the database with success; for readiness. */
  idle(): number;
  /** Why the last reading of the database failed, in words for an operator; null while they succeed. */
  failure(): string | null;
  /** Age in milliseconds of the oldest conference in memory (I7); 0: there is none. */
  oldest(): number;
  /** Resolves true once the primary has been read after this call (a switched epoch is loaded by then), false after `timeoutMs` (I6). */
  checkPrimary(timeoutMs: number): Promise<boolean>;
  stats(): FeedStats;
  /** Something was committed in this process: it is read at once, without waiting for the database to say so. */
  wake(): void;
  close(): Promise<void>;
}

/** Counts since the start. */
export interface FeedStats {
  /** SQL statements of any kind. */
  readonly statements: number;
  readonly polls: number;
  readonly loads: number;
  readonly reloads: number;
  /** Replicas that were not what the database has, and were read again. */
  readonly wrong: number;
  /** Times that a conference had another history in the same epoch: restored, and nothing but its contents showed it. */
  readonly restores: number;
  /** Conferences in memory now. */
  readonly loaded: number;
  /** Of encoded frames that are kept. */
  readonly frameBytes: number;
  /** Who holds one of them now: sockets, requests, commands. */
  readonly holders: number;
  readonly resumes: Readonly<Record<Resume['kind'], number>>;
}
