/** Alive and ready, judged by progress: "process is up" proves nothing, and a heartbeat proves a heartbeat. */
import type { Feed } from '#libs/feed';
import type { Projector } from '#libs/projector';
import type { Health, HealthReport } from '../doors/http/ports.js';

/** Events wait for so long and none is folded, or a partition of ours is not claimed for so long: the partition is wedged. */
const WEDGED_MS = 30_000;
/** A projector that has not seen the log for so long folds nothing; what lies behind it is caught up when it is back. */
const SILENT_MS = 10_000;
/** A tail that has not read for so long serves what is old. */
const STALE_MS = 10_000;
const LOOK_MS = 1_000;

export interface HealthParts {
  readonly sockets: { stats(): object };
  readonly role: string;
  readonly feed: Pick<Feed, 'idle' | 'failure' | 'oldest' | 'stats'>;
  readonly projector: Pick<Projector, 'status' | 'reading' | 'unowned'> | undefined;
  /** What is wrong with the log itself, also where nothing reads it. Default: nothing. */
  readonly logAlarms?: () => readonly string[];
  /** Over a connection of its own; asked only while the tail does not read. A tail that hangs while this answers is wedged. */
  readonly reachesDatabase: () => Promise<boolean>;
  /** Milliseconds after which a partition or the tail is wedged; default 30,000. */
  readonly wedgedMs?: number;
  /** What reads the intake's topic; undefined where nothing does. It makes nobody less ready: commands and screens need no intake. */
  readonly intake?: () => object | undefined;
  /** Why the embedded database is away; undefined: it is not, or it is none of ours. */
  readonly database?: () => string | undefined;
}

/**
 * What no restart of the process mends: no connection, no space, no right, a database that is stopping or starting (08, 28, 42501, 53,
 * 57P0x, 58). The batch is tried again until it is mended.
 */
const ELSEWHERE = /^(08|28|53|58)...$|^57P0.$|^42501$/;

export interface ProcessHealth extends Health {
  drain(): void;
  close(): void;
}

export const createHealth = (parts: HealthParts): ProcessHealth => new ProgressHealth(parts);

interface Trouble {
  readonly partition?: number;
  readonly error: string;
}

class ProgressHealth implements ProcessHealth {
  #draining = false;
  #awayAt = Number.NEGATIVE_INFINITY;
  #isReached = false;
  #asking = false;
  readonly #timer = setInterval(() => this.#look(), LOOK_MS).unref();

  constructor(private readonly parts: HealthParts) {}

  drain(): void {
    this.#draining = true;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  alive(): HealthReport {
    this.#look();
    const { wedgedMs = WEDGED_MS, feed } = this.parts;
    const answeredMs = performance.now() - this.#awayAt;
    const isWedged = (standsMs: number) => Math.min(standsMs, answeredMs) > wedgedMs;
    const wedged = this.#partitions().filter(
      ({ waitsMs, unclaimedMs, error }) =>
        !(error && ELSEWHERE.test(error)) && isWedged(Math.max(waitsMs, unclaimedMs)),
    );
    // One that fails is answered, and tries again; one that hangs is not.
    const tailWedged = feed.failure() === null && isWedged(feed.idle());
    // Who only lags is alive, and says how far: a restart would cost it what it has caught up.
    return {
      ok: wedged.length === 0 && !tailWedged,
      details: { ...this.#progress(), wedged: wedged.map(({ partition }) => partition), tailWedged },
    };
  }

  ready(): HealthReport {
    const { feed, sockets, intake } = this.parts;
    const { silentMs, alarms } = this.#reading();
    const problem = this.#problem();
    const errors = [...this.#troubles()];
    const details = {
      ...this.#progress(),
      draining: this.#draining,
      ...(problem === undefined ? {} : { database: problem }),
      owned: this.#partitions().filter(({ owned }) => owned).length,
      unowned: this.parts.projector?.unowned() ?? [],
      tailIdleMs: Math.round(feed.idle()),
      feed: feed.stats(),
      sockets: sockets.stats(),
      errors,
      log: { silentMs: Math.round(silentMs), alarms },
      intake: intake?.(),
    };
    return { ok: errors.length === 0, details };
  }

  takesClients(): HealthReport {
    const { ok } = this.alive();
    return { ok: ok && !this.#draining, details: { draining: this.#draining } };
  }

  /** Everything that speaks against readiness, each in words. */
  *#troubles(): Iterable<Trouble> {
    const { role, feed, projector } = this.parts;
    if (this.#draining) yield { error: 'this process is about to stop' };
    const problem = this.parts.database?.();
    if (problem !== undefined) yield { error: problem };
    if (feed.idle() >= STALE_MS)
      yield { error: `nothing was read for ${seconds(feed.idle())}: ${feed.failure() ?? 'the reading hangs'}` };
    for (const { partition, error } of this.#partitions()) if (error) yield { partition, error };
    const { silentMs, alarms } = this.#reading();
    // A gateway serves screens whatever happens to the log: there an alarm is a detail.
    if (projector) for (const error of alarms) yield { error };
    // Whoever serves pages as well goes on serving them while the log is away, and they say how old they are.
    const isSilent = silentMs >= SILENT_MS;
    if (role === 'projector' && isSilent) yield { error: `the log has not been read for ${seconds(silentMs)}` };
    if (role !== 'projector' && isSilent) return;
    for (const partition of projector?.unowned() ?? []) yield { partition, error: 'no projector owns the partition' };
  }

  #problem(): string | undefined {
    const isFull = this.#partitions().some(({ error }) => error === '53100');
    return this.parts.database?.() ?? (isFull ? 'disk is full' : undefined);
  }

  #progress(): object {
    const { role, feed } = this.parts;
    const lag = this.#partitions().reduce((sum, { next, high }) => sum + (high > next ? Number(high - next) : 0), 0);
    // A projector loads no conference: the age of what it serves would always be 0.
    return { role, lag, ...(role === 'projector' ? {} : { ageMs: Math.round(feed.oldest()) }) };
  }

  /** While the database or the log is away nothing can move, and a restart would not bring it back: that time does not count. */
  #look(): void {
    const isIdle = this.parts.feed.idle() > STALE_MS;
    if (isIdle) void this.#ask();
    else this.#isReached = false;
    if (this.parts.database?.() !== undefined || (isIdle && !this.#isReached) || this.#reading().silentMs > SILENT_MS)
      this.#awayAt = performance.now();
  }

  async #ask(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    this.#isReached = await this.parts.reachesDatabase().catch(() => false);
    this.#asking = false;
  }

  #partitions() {
    return this.parts.projector?.status() ?? [];
  }

  #reading() {
    const { projector, logAlarms = () => [] } = this.parts;
    return projector?.reading() ?? { silentMs: 0, alarms: logAlarms() };
  }
}

const seconds = (ms: number): string => `${Math.round(ms / 1_000)} s`;
