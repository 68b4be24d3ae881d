/** What is known of one partition over all claims of this process: claiming anew must not make what stands still look like progress. */
import { sqlState } from '#libs/postgres';

/** Claimed again after longer than any pause between two tries, it was another's meanwhile: its standing still was not ours. */
const OURS_MS = 10_000;

export class Standing {
  next = 0n;
  high = 0n;
  /** Offsets this process has folded: never falls, whoever owns the partition. */
  folded = 0;
  /** Checkpoint and log do not belong together: an operator must decide. */
  stopped: string | null = null;
  /** D2: its events are refused one after the other; an operator must mend that, or drop the one at the checkpoint. */
  halted: string | null = null;
  #said: string | null = null;
  #claim: string | null = null;
  #consume: string | null = null;
  #waitsSince: number | null = null;
  #lostAt: number | null = null;

  /** Monotonic milliseconds for which events have waited and none was folded. */
  waitsMs(): number {
    return this.#waitsSince === null ? 0 : performance.now() - this.#waitsSince;
  }

  get error(): string | null {
    return this.stopped ?? this.#claim ?? this.halted ?? this.#consume;
  }

  claimed(next: bigint): void {
    const since = this.#lostAt === null ? 0 : performance.now() - this.#lostAt;
    if (next !== this.next || since > OURS_MS) this.forget();
    this.next = next;
    this.stopped = null;
    this.#said = null;
    this.#claim = null;
    this.saw(next);
  }

  /** The log's end. */
  saw(high: bigint): void {
    if (high > this.high) this.high = high;
    if (this.next < this.high) this.#waitsSince ??= performance.now();
  }

  moved(next: bigint): void {
    this.folded += Number(next - this.next);
    this.next = next;
    this.#waitsSince = null;
    this.#consume = null;
    this.halted = null;
    this.saw(next);
  }

  /** @returns whether that is news: it is found again by each try, also by those of others in between. */
  stop(reason: string): boolean {
    const isNews = this.#said !== reason;
    this.stopped = reason;
    this.#said = reason;
    return isNews;
  }

  claimFailed(error: unknown): void {
    this.#claim = `it cannot be claimed (${kindOf(error)})`;
  }

  consumeFailed(error: unknown, next: bigint): void {
    this.#consume = `its events from offset ${next} on cannot be folded (${kindOf(error)}): docs/runbooks/projection-stands-still.md`;
  }

  /** @returns whether that is news. */
  halt(reason: string): boolean {
    const isNews = this.halted !== reason;
    this.halted = reason;
    return isNews;
  }

  lost(): void {
    this.#lostAt = performance.now();
  }

  /** It is another's. */
  forget(): void {
    this.high = 0n;
    this.stopped = null;
    this.halted = null;
    this.#claim = null;
    this.#consume = null;
    this.#waitsSince = null;
  }
}

/** Never the message: a database quotes the values it refuses. The log has the whole. */
const kindOf = (error: unknown): string =>
  sqlState(error) ?? (error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.name) : 'unknown');
