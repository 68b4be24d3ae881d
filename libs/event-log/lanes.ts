/**
 * What may overtake what, before a command is in the log (the log's order is never changed): desks overtake the audience, both overtake
 * bulk work. Weighted, so that no lane starves; within a lane in order of arrival.
 */

/** `interactive`: moderators, organizers, operators. `bulk`: imports, and what producers send. In order of precedence. */
export const LANES = ['interactive', 'attendee', 'bulk'] as const;
export type Lane = (typeof LANES)[number];

/** Of 21 commands that wait, so many are taken of each lane. */
export const LANE_WEIGHTS: Readonly<Record<Lane, number>> = { interactive: 16, attendee: 4, bulk: 1 };

export class LaneQueue<T> {
  readonly #waiting: Readonly<Record<Lane, T[]>> = { interactive: [], attendee: [], bulk: [] };
  #credit = { ...LANE_WEIGHTS };

  get size(): number {
    return LANES.reduce((sum, lane) => sum + this.#waiting[lane].length, 0);
  }

  sizeOf(lane: Lane): number {
    return this.#waiting[lane].length;
  }

  push(lane: Lane, item: T): void {
    this.#waiting[lane].push(item);
  }

  /** Before all others of its lane: it was taken already. */
  putBack(lane: Lane, item: T): void {
    this.#waiting[lane].unshift(item);
  }

  /** @param fits refused, a lane is passed over: its first item waits, and all behind it */
  next(fits: (item: T, lane: Lane) => boolean = () => true): { readonly item: T; readonly lane: Lane } | undefined {
    const open = LANES.filter((lane) => {
      const [first] = this.#waiting[lane];
      return first !== undefined && fits(first, lane);
    });
    if (open.length === 0) return undefined;
    if (!open.some((lane) => this.#credit[lane] > 0)) this.#credit = { ...LANE_WEIGHTS };
    const lane = open.find((one) => this.#credit[one] > 0) as Lane;
    this.#credit[lane] -= 1;
    return { item: this.#waiting[lane].shift() as T, lane };
  }
}

/** So many wait: they are better off together than one request sooner. */
const MANY = 4;

/** Group commit: with many in flight a request to the log begins at most every few ms; a lone command and a desk's wait for no others. */
export class Pace {
  #begunAt = Number.NEGATIVE_INFINITY;
  #hurry: (() => void) | undefined;

  constructor(private readonly everyMs: number) {}

  /** Milliseconds for which the next request is to wait. */
  restBefore(waiting: LaneQueue<unknown>): number {
    if (waiting.size <= MANY || waiting.sizeOf('interactive') > 0) return 0;
    return Math.max(0, this.#begunAt + this.everyMs - performance.now());
  }

  async rest(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#hurry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#hurry = undefined;
  }

  begun(): void {
    this.#begunAt = performance.now();
  }

  /** A desk's command has come: no more rest. */
  hurry(): void {
    this.#hurry?.();
  }
}
