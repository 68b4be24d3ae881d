import { performance } from 'node:perf_hooks';
import { defineLimit } from '#libs/limits';
import { type Logger, sqlState } from '#libs/postgres';
import { Audits } from './audit.js';
import { MAX_AWAITED_PER_READING } from './awaited-outcomes.js';
import { History } from './history.js';
import { type Answer, type Asked, type FeedReader, NoGeneration, type Reading } from './reader.js';
import type { Replica } from './replica.js';

/** Further behind, reading everything is cheaper than catching up. */
export const MAX_BEHIND = defineLimit({
  name: 'feed.tail.documents',
  value: 5_000,
  unit: 'documents',
  beyond: 'the conference is read whole again',
});
export const POLL_MS = 100;

export interface TailCounts {
  polls: number;
  reloads: number;
  /** Replicas that were not what the database has. */
  wrong: number;
  /** Times that the history of a conference was another one in the same epoch. */
  restores: number;
}

const NOTHING: Answer = { head: -1, floor: 0, asOf: 0, documents: [], history: [], folded: new Map() };

/** Keeps all replicas at the head of the live generation: one statement per wake or poll, never two at once. */
export class Tail {
  readonly counts: TailCounts = { polls: 0, reloads: 0, wrong: 0, restores: 0 };
  /** Monotonic milliseconds of the last reading that succeeded. */
  lastRead = performance.now();
  readonly #reader: FeedReader;
  readonly #replicas: ReadonlyMap<string, Replica>;
  readonly #logger: Logger;
  readonly #audits: Audits;
  readonly #afterTick: () => void;
  readonly #waiters = new Set<{ readonly since: number; readonly finish: (met: boolean) => void }>();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  /** Why the last reading failed; null while they succeed. */
  failure: string | null = null;
  #closed = false;

  constructor(
    reader: FeedReader,
    replicas: ReadonlyMap<string, Replica>,
    logger: Logger,
    afterTick: () => void,
    auditEveryMs?: number,
  ) {
    this.#reader = reader;
    this.#audits = new Audits(reader, logger, auditEveryMs);
    this.#replicas = replicas;
    this.#logger = logger;
    this.#afterTick = afterTick;
    this.#timer = setTimeout(() => this.wake(), POLL_MS);
  }

  /** Reads now, or once more after the reading that is under way (it may have begun before the commit). */
  wake(): void {
    if (this.#closed) return;
    if (this.#running) {
      this.#again = true;
      return;
    }
    clearTimeout(this.#timer);
    this.#running = this.#tick().finally(() => {
      this.#running = undefined;
      if (this.#closed) return;
      if (this.#again) {
        this.#again = false;
        this.wake();
      } else this.#timer = setTimeout(() => this.wake(), POLL_MS);
    });
  }

  /** True once a reading that was sent after this call has succeeded; false after `timeoutMs`. */
  fresh(timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const finish = (met: boolean) => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
        resolve(met);
      };
      const waiter = { since: performance.now(), finish };
      const timer = setTimeout(() => finish(false), timeoutMs);
      this.#waiters.add(waiter);
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const { finish } of [...this.#waiters]) finish(false);
    await this.#running;
  }

  /** Never rejects: without a database the replicas go on serving and their age shows it (I7). */
  async #tick(): Promise<void> {
    try {
      const replicas = [...this.#replicas.values()];
      this.counts.polls++;
      const asked = askedFor(replicas);
      const reading = await this.#reader.read(asked, MAX_BEHIND + 1);
      for (const replica of replicas) {
        const answer = reading.answers.get(replica.conference);
        await this.#bringUp(replica, reading, answer);
      }
      this.#succeeded(reading);
      await this.#audit(replicas);
    } catch (err) {
      if (this.failure === null) this.#logger.warn({ err }, 'reading the feed failed; serving what is known');
      this.failure = reasonOf(err);
    }
    this.#afterTick();
  }

  /** Within the tick: nothing advances a replica meanwhile. */
  async #audit(replicas: readonly Replica[]): Promise<void> {
    const replica = await this.#audits.wrongOne(replicas);
    if (!replica) return;
    this.counts.wrong++;
    this.counts.reloads++;
    const whole = await this.#readWhole(replica);
    replica.reload(whole, whole.answers.get(replica.conference) ?? NOTHING);
  }

  async #bringUp(replica: Replica, reading: Reading, answer: Answer | undefined): Promise<void> {
    const continues = reading.epoch === replica.epoch && answer !== undefined && replica.isContinuedBy(answer);
    if (continues && answer.documents.length <= MAX_BEHIND && answer.floor <= replica.head) {
      replica.advance(reading, answer);
      return;
    }
    this.counts.reloads++;
    const whole = await this.#readWhole(replica);
    replica.reload(whole, whole.answers.get(replica.conference) ?? NOTHING);
  }

  /** Nothing is served that the database no longer has; and if it has another history in the same epoch, that epoch ends. */
  async #readWhole(replica: Replica): Promise<Reading> {
    const { conference, head, epoch, proof } = replica;
    const read = () => this.#reader.read([{ conference, cursor: -1 }], null);
    const whole = await read();
    const { head: now, history } = whole.answers.get(conference) ?? NOTHING;
    const wentBack = now < head;
    if (whole.epoch !== epoch || proof === undefined || now === -1) return whole;
    if (!wentBack && !new History(history).contradicts(head, proof)) return whole;
    this.counts.restores++;
    this.#logger.error({ conference, head, now, wentBack }, 'the feed has another history; its epoch ends');
    try {
      await this.#reader.noticeRestore(whole);
      return await read();
    } catch (err) {
      this.#logger.error({ err, conference }, 'the epoch could not be ended; clients are given all of it again');
      return whole;
    }
  }

  #succeeded({ sentAt }: Reading): void {
    if (this.failure !== null) this.#logger.info({}, 'the feed is read again');
    this.failure = null;
    this.lastRead = performance.now();
    for (const { since, finish } of [...this.#waiters]) if (sentAt >= since) finish(true);
  }
}

function askedFor(replicas: readonly Replica[]): readonly Asked[] {
  let left = MAX_AWAITED_PER_READING;
  return replicas.map((replica) => {
    const awaited = replica.awaited(left);
    left -= awaited.length;
    return { conference: replica.conference, cursor: replica.head, awaited };
  });
}

/** Never a database's own message, for it quotes values; the log has the whole. */
function reasonOf(error: unknown): string {
  if (error instanceof NoGeneration) return 'no projector has built read models yet';
  return `the database cannot be read (${sqlState(error) ?? (error as NodeJS.ErrnoException).code ?? 'no answer'})`;
}
