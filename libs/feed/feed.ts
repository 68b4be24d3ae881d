import { performance } from 'node:perf_hooks';
import type pg from 'pg';
import { defineLimit } from '#libs/limits';
import { type Listener, type Logger, listen } from '#libs/postgres';
import { FrameCache } from './frame-cache.js';
import { FailedBefore, Loads } from './loads.js';
import { Names } from './names.js';
import { FeedReader } from './reader.js';
import { Replica, type ResumeCounts } from './replica.js';
import { Tail } from './tail.js';
import type { Feed, FeedStats, OpenFailure } from './types.js';

/** How many may wait for conferences to be loaded; others come again (I9). */
const MAX_WAITERS = defineLimit({
  name: 'feed.load.waiting',
  value: 2_000,
  unit: 'requests',
  beyond: 'refused with 102',
});
const MAX_SETTLING = defineLimit({ name: 'feed.settling', value: 500, unit: 'requests', beyond: 'refused with 102' });
/** Conferences that stay in memory though nobody holds them; those let go first are the first to leave (I9). */
const MAX_UNHELD = defineLimit({
  name: 'feed.unheld',
  value: 50,
  unit: 'items',
  beyond: 'the conference let go first leaves the memory',
});
const SETTLE_MS = 5_000;

/** The channel of NOTIFY on which projectors say that they committed. */
export const FEED_CHANNEL = 'hallway_feed';

export interface FeedOptions {
  /** The primary: a standby may answer with what the alarm has already announced as old. */
  readonly pool: pg.Pool;
  /** For the connection that listens. */
  readonly url: string;
  /** Of the log; fixed. */
  readonly partitions: number;
  readonly logger: Logger;
  /** What the notifications of this process's own projector say; it wakes the feed itself. */
  readonly ownSender?: string;
  /** A conference that nobody holds leaves the memory after so many milliseconds. Default 10 minutes. */
  readonly evictAfterMs?: number;
  /** One conference is compared with the database in so many milliseconds. Default 30 s. */
  readonly auditEveryMs?: number;
}

/** The process's copy of the feed. Starts to read at once; conferences are loaded when first opened. */
export function createFeed(options: FeedOptions): Feed {
  return new PostgresFeed(options);
}

class PostgresFeed implements Feed {
  readonly #reader: FeedReader;
  readonly #names: Names;
  readonly #tail: Tail;
  readonly #listener: Listener;
  readonly #logger: Logger;
  readonly #evictAfterMs: number;
  readonly #replicas = new Map<string, Replica>();
  readonly #frames = new FrameCache();
  readonly #loads = new Loads<Replica | OpenFailure>();
  readonly #resumes: ResumeCounts = { current: 0, changes: 0, snapshot: 0, parted: 0, ahead: 0 };
  #waiting = 0;
  #settling = 0;
  #loaded = 0;

  constructor({ pool, url, partitions, logger, evictAfterMs, ownSender, auditEveryMs }: FeedOptions) {
    this.#logger = logger;
    this.#evictAfterMs = evictAfterMs ?? 600_000;
    this.#reader = new FeedReader(pool, partitions, logger);
    this.#names = new Names(this.#reader);
    this.#tail = new Tail(this.#reader, this.#replicas, logger, () => this.#afterTick(), auditEveryMs);
    const wake = () => this.wake();
    this.#listener = listen({
      url,
      channel: FEED_CHANNEL,
      // What this process committed has woken it already.
      onNotify: (sender) => sender !== ownSender && wake(),
      // What was committed while nothing was heard.
      onReady: wake,
      logger,
      applicationName: 'hallway feed',
    });
  }

  async open(conference: string, since?: number, withinMs = SETTLE_MS): ReturnType<Feed['open']> {
    const known = this.#replicas.get(conference);
    if (known) return this.#hold(known);
    if (since !== undefined) {
      // Counted apart: who waits for a name that may not exist takes no place from who loads one that does.
      if (this.#settling >= MAX_SETTLING) return 'busy';
      if (!(await this.#isSettled(conference, since, withinMs))) return 'unavailable';
    }
    if (this.#waiting >= MAX_WAITERS) return 'busy';
    this.#waiting++;
    try {
      // Somebody else may have loaded it meanwhile.
      const loaded = this.#replicas.get(conference) ?? (await this.#load(conference));
      return typeof loaded === 'string' ? loaded : this.#hold(loaded);
    } finally {
      this.#waiting--;
    }
  }

  wake(): void {
    this.#tail.wake();
  }

  async conferences(): Promise<readonly string[]> {
    return [...(await this.#names.all())];
  }

  /** No statement of its own: the tail reads the primary ten times a second anyway. */
  checkPrimary(timeoutMs: number): Promise<boolean> {
    return this.#tail.fresh(timeoutMs);
  }

  idle(): number {
    return performance.now() - this.#tail.lastRead;
  }

  failure(): string | null {
    return this.#tail.failure;
  }

  oldest(): number {
    let oldest = 0;
    for (const replica of this.#replicas.values()) oldest = Math.max(oldest, replica.age());
    return oldest;
  }

  stats(): FeedStats {
    const { statements } = this.#reader;
    let holders = 0;
    for (const replica of this.#replicas.values()) holders += replica.holders;
    return {
      holders,
      frameBytes: this.#frames.bytes,
      ...this.#tail.counts,
      statements,
      loads: this.#loaded,
      loaded: this.#replicas.size,
      resumes: { ...this.#resumes },
    };
  }

  async close(): Promise<void> {
    await Promise.all([this.#tail.close(), this.#listener.close()]);
    await this.#loads.idle();
    for (const replica of this.#replicas.values()) replica.end();
    this.#replicas.clear();
  }

  /** Outside of the turn: whoever waits for one conference holds up no other. */
  async #isSettled(conference: string, since: number, withinMs: number): Promise<boolean> {
    this.#settling++;
    try {
      return await this.#names.settled(conference, since, withinMs);
    } catch (err) {
      this.#logger.warn({ err, conference }, 'the conferences could not be listed');
      return false;
    } finally {
      this.#settling--;
    }
  }

  #hold(replica: Replica): { readonly feed: Replica; release(): void } {
    replica.holders++;
    let held = true;
    const release = () => {
      if (!held) return;
      held = false;
      replica.holders--;
      replica.unheldSince = performance.now();
    };
    return { feed: replica, release };
  }

  async #load(conference: string): Promise<Replica | OpenFailure> {
    try {
      return await this.#loads.run(conference, () => this.#read(conference));
    } catch (err) {
      // Said when it failed.
      if (!(err instanceof FailedBefore)) this.#logger.warn({ err, conference }, 'loading a conference failed');
      return 'unavailable';
    }
  }

  async #read(conference: string): Promise<Replica | OpenFailure> {
    if (!(await this.#names.all()).has(conference)) return 'unknown';
    const reading = await this.#reader.read([{ conference, cursor: -1 }], null);
    const answer = reading.answers.get(conference);
    if (!answer) return 'unknown';
    const known = this.#replicas.get(conference);
    if (known) return known;
    this.#loaded++;
    const replica = new Replica(conference, reading, answer, {
      resumes: this.#resumes,
      logger: this.#logger,
      frames: this.#frames.conference(),
    });
    this.#replicas.set(conference, replica);
    return replica;
  }

  #afterTick(): void {
    const now = performance.now();
    const unheld: Replica[] = [];
    for (const replica of this.#replicas.values()) {
      replica.wake();
      if (replica.holders > 0) continue;
      if (now - replica.unheldSince >= this.#evictAfterMs) this.#evict(replica);
      else unheld.push(replica);
    }
    if (unheld.length <= MAX_UNHELD) return;
    unheld.sort((a, b) => a.unheldSince - b.unheldSince);
    for (const replica of unheld.slice(0, unheld.length - MAX_UNHELD)) this.#evict(replica);
  }

  #evict(replica: Replica): void {
    this.#replicas.delete(replica.conference);
    replica.end();
  }
}
