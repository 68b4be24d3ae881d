import { performance } from 'node:perf_hooks';
import type { Logger } from '#libs/postgres';
import type { Cursor } from '#libs/protocol';
import { AwaitedOutcomes, type FoldedCommand } from './awaited-outcomes.js';
import type { ChannelState, Held } from './channel-state.js';
import { ConferenceState } from './conference-state.js';
import type { ConferenceFrames } from './frame-cache.js';
import type { Answer, Reading } from './reader.js';
import type { Advance, ConferenceFeed, EncodedFrame, FeedDocument, Resume } from './types.js';
import { Waiters } from './waiters.js';

export type ResumeCounts = Record<Resume['kind'], number>;

export interface ReplicaParts {
  readonly resumes: ResumeCounts;
  readonly logger: Logger;
  /** Its share of the encoded frames. */
  readonly frames: ConferenceFrames;
}

/** One conference in memory, with its age and those who wait for it to advance. */
export class Replica implements ConferenceFeed {
  readonly conference: string;
  holders = 0;
  /** A client says that what it was given is not what was promised. */
  isSuspect = false;
  /** Monotonic milliseconds since when nobody holds it. */
  unheldSince = performance.now();
  readonly #state: ConferenceState;
  readonly #resumes: ResumeCounts;
  readonly #logger: Logger;
  readonly #listeners = new Set<(advance: Advance) => void>();
  readonly #awaitHead = new Waiters((offset, head) => offset <= head);
  readonly #outcomes = new AwaitedOutcomes();
  readonly #awaitComplete = new Waiters((asked, asOf) => asked < asOf);
  #asOf: number;
  #databaseNow: number;
  #sentAt: number;

  constructor(conference: string, reading: Reading, answer: Answer, { resumes, logger, frames }: ReplicaParts) {
    this.conference = conference;
    this.#state = new ConferenceState({ ...answer, epoch: reading.epoch }, frames);
    this.#resumes = resumes;
    this.#logger = logger;
    this.#asOf = answer.asOf;
    this.#databaseNow = reading.databaseNow;
    this.#sentAt = reading.sentAt;
  }

  /** For an audit. */
  get channels(): ReadonlyMap<string, ChannelState> {
    return this.#state.channels;
  }

  /** A living document or a tombstone. */
  held(channel: string, key: string): Held | undefined {
    return this.#state.channels.get(channel)?.held(key);
  }

  suspect(): void {
    this.isSuspect = true;
  }

  get epoch(): string {
    return this.#state.epoch;
  }

  get head(): number {
    return this.#state.head;
  }

  get proof(): string | undefined {
    return this.#state.proof;
  }

  age(): number {
    return Math.max(0, this.#databaseTime() - this.#asOf);
  }

  document(channel: string, key: string): FeedDocument | undefined {
    return this.#state.document(channel, key);
  }

  documents(channel: string): readonly (FeedDocument & { readonly key: string })[] {
    return this.#state.documents(channel);
  }

  lastChange(channel: string): number {
    return this.#state.lastChange(channel);
  }

  sum(channel: string): number {
    return this.#state.sum(channel);
  }

  floor(channel: string): number {
    return this.#state.floor(channel);
  }

  resume(channel: string, cursor: Cursor | null): Resume {
    const answer = this.#state.resume(channel, cursor);
    this.#resumes[answer.kind]++;
    return answer;
  }

  changes(channel: string, from: number): EncodedFrame | null {
    return this.#state.changes(channel, from);
  }

  reached(offset: number, timeoutMs: number, isFirst = false): Promise<boolean> {
    return this.head >= offset ? Promise.resolve(true) : this.#awaitHead.wait(offset, timeoutMs, isFirst);
  }

  outcome(
    commandId: string,
    offset: number,
    timeoutMs: number,
    isFirst = false,
  ): Promise<FoldedCommand | null | undefined> {
    return this.#outcomes.during(commandId, this.reached(offset, timeoutMs, isFirst));
  }

  /** Commands to ask for in the next reading. */
  awaited(atMost: number): readonly string[] {
    return this.#outcomes.ids(atMost);
  }

  settled(timeoutMs: number): Promise<boolean> {
    const asked = this.#databaseTime();
    return asked < this.#asOf ? Promise.resolve(true) : this.#awaitComplete.wait(asked, timeoutMs);
  }

  onAdvance(listener: (advance: Advance) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What was read goes on from what is here: at the head of this copy the history is the same. */
  isContinuedBy({ head, history }: Answer): boolean {
    if (head < this.head) return false;
    return this.proof === undefined || history.some(([at, proof]) => at === this.head && proof === this.proof);
  }

  /** Takes over what the tail read after `head`. */
  advance(reading: Reading, answer: Answer): void {
    const from = this.head;
    const channels = this.#state.apply(answer.documents, answer.head, answer.history);
    this.#observe(reading, answer);
    if (this.head > from || channels.size > 0) this.#publish({ from, channels, reloaded: false });
  }

  /** Starts again from everything the live generation has. */
  reload(reading: Reading, answer: Answer): void {
    const from = this.head;
    const channels = this.#state.reload({ ...answer, epoch: reading.epoch });
    this.#observe(reading, answer);
    this.#publish({ from, channels, reloaded: true });
  }

  /** Ends all waiting; nothing advances any more. */
  end(): void {
    this.#state.end();
    this.#awaitHead.end();
    this.#awaitComplete.end();
    this.#listeners.clear();
  }

  /** The database's clock now, never too early: the statement was sent before its clock was read. */
  #databaseTime(): number {
    return this.#databaseNow + performance.now() - this.#sentAt;
  }

  #observe(reading: Reading, answer: Answer): void {
    this.#outcomes.take(answer.folded);
    this.#asOf = answer.asOf;
    this.#databaseNow = reading.databaseNow;
    this.#sentAt = reading.sentAt;
  }

  /** Waiters first: an ack waits for the state, not for the fan-out of frames. */
  #publish(change: Pick<Advance, 'from' | 'channels' | 'reloaded'>): void {
    this.wake();
    const advance = { ...change, epoch: this.epoch, head: this.head };
    for (const listener of [...this.#listeners]) {
      try {
        listener(advance);
      } catch (err) {
        // One follower's fault must not keep the others from the change.
        this.#logger.error({ err, conference: this.conference }, 'a follower of the feed failed');
      }
    }
  }

  /** Lets go of those whose wait is over. */
  wake(): void {
    this.#awaitHead.reach(this.head);
    this.#awaitComplete.reach(this.#asOf);
  }
}
