/**
 * What is in the log cannot be overtaken any more, so what attendees may add to it is limited by how long it takes until it is folded
 * (D9): per conference and per gateway, so that one conference's storm refuses nobody of another. Desks and bulk work are measured,
 * never refused here. Goodput does not fall as the offer rises: what cannot be served soon is refused at once, with the time to wait.
 */
import { LRUCache } from 'lru-cache';
import { defineLimit } from '#libs/limits';
import { Refusal } from '#libs/protocol';

/** Append → folded, in milliseconds: above it fewer are let in at a time, below it more. */
export const LAG_TARGET_MS = 100;
export const LEAST_IN_FLIGHT = defineLimit({
  name: 'commands.attendees.in-flight.least',
  value: 64,
  unit: 'commands',
  beyond:
    'per conference and gateway under the longest lag: waits up to 100 ms, then is refused with 101 and the time to wait',
});
export const MOST_IN_FLIGHT = defineLimit({
  name: 'commands.attendees.in-flight.most',
  value: 2_000,
  unit: 'commands',
  beyond: 'per conference and gateway under no lag: waits up to 100 ms, then is refused with 101 and the time to wait',
});
/** As long as an attendee's command waits to be let in; as many wait as are served in that time. */
export const WAIT_FOR_PLACE_MS = defineLimit({
  name: 'commands.attendees.wait',
  value: 100,
  unit: 'ms',
  beyond: 'refused with 101 and the time to wait',
});
const FIRST_IN_FLIGHT = 256;
const FIRST_MAY_WAIT = 50;
const CONFERENCES = 1_000;
const WINDOW_MS = 100;
const LOWER = 0.8;
const RETRY_MS = { least: 300, most: 15_000 };

export interface Place {
  /** The command has its outcome, or none. */
  leave(): void;
}

export interface LagOptions {
  readonly now?: () => number;
  readonly random?: () => number;
  readonly waitMs?: number;
}

/** One conference of this gateway. */
export class ConferenceLag {
  limit = FIRST_IN_FLIGHT;
  inFlight = 0;
  readonly #waiting: { readonly enter: () => void; readonly timer: NodeJS.Timeout }[] = [];
  /** Since `#since`: what was measured, refused and folded, and the most in flight. */
  #sum = 0;
  #count = 0;
  #refused = 0;
  #most = 0;
  #since = 0;
  readonly #announced = new Set<symbol>();
  #mayWait = FIRST_MAY_WAIT;
  /** Refused for each that was folded, smoothed. */
  #pressure = 0;
  readonly #now: () => number;
  readonly #random: () => number;
  readonly #waitMs: number;

  constructor({ now, random, waitMs }: LagOptions = {}) {
    this.#now = now ?? (() => performance.now());
    this.#random = random ?? Math.random;
    this.#waitMs = waitMs ?? WAIT_FOR_PLACE_MS;
    this.#since = this.#now();
  }

  /** One more would not even be let in within the time that it may wait. */
  get isFull(): boolean {
    return this.inFlight + this.#waiting.length + this.#announced.size >= this.limit + this.#mayWait;
  }

  /** One is on its way that was not turned away: hundreds may come before the first of them enters. @returns it has ended */
  announce(): () => void {
    const one = Symbol('announced');
    this.#announced.add(one);
    return () => this.#announced.delete(one);
  }

  /** @throws Refusal busy */
  async enter(): Promise<Place> {
    // Whichever: so many are on their way.
    for (const one of this.#announced) {
      this.#announced.delete(one);
      break;
    }
    if (this.isFull) throw this.refusal();
    if (this.inFlight >= this.limit) await this.#wait();
    else this.#take();
    let isOver = false;
    return {
      leave: () => {
        if (isOver) return;
        isOver = true;
        this.inFlight -= 1;
        this.#admit();
      },
    };
  }

  /** A command of any lane took so long from its append until it was folded. */
  measured(ms: number): void {
    this.#sum += ms;
    this.#count += 1;
    const age = this.#now() - this.#since;
    if (age >= WINDOW_MS) this.#adjust(age);
  }

  /** For one that is turned away; those who come back at their time come spread, and about as many as can be served. */
  refusal(): Refusal {
    this.#refused += 1;
    const wait = Math.min(RETRY_MS.most, RETRY_MS.least + 1_000 * this.#pressure);
    return withoutStack(
      () => new Refusal('busy', 'too many at once in this conference', Math.ceil(wait * (0.5 + this.#random()))),
    );
  }

  /** Additive increase while the limit is what holds back, multiplicative decrease while it lets in too much. */
  #adjust(age: number): void {
    const mean = this.#sum / this.#count;
    const isBinding = this.#most >= this.limit / 2;
    if (mean > LAG_TARGET_MS && isBinding) this.limit = Math.max(LEAST_IN_FLIGHT, Math.floor(this.limit * LOWER));
    else if (mean <= LAG_TARGET_MS && isBinding)
      this.limit = Math.min(MOST_IN_FLIGHT, this.limit + Math.max(4, Math.round(this.limit / 32)));
    this.#mayWait = Math.ceil((this.#count / age) * this.#waitMs);
    const share = Math.min(1, age / 1_000);
    this.#pressure += (this.#refused / this.#count - this.#pressure) * share;
    this.#sum = 0;
    this.#count = 0;
    this.#refused = 0;
    this.#most = this.inFlight;
    this.#since = this.#now();
    this.#admit();
  }

  #wait(): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiting = {
        enter: () => {
          clearTimeout(waiting.timer);
          resolve();
        },
        timer: setTimeout(() => {
          this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
          reject(this.refusal());
        }, this.#waitMs),
      };
      this.#waiting.push(waiting);
    });
  }

  #take(): void {
    this.inFlight += 1;
    this.#most = Math.max(this.#most, this.inFlight);
  }

  /** Whoever is let in counts from now on, and not only once it goes on. */
  #admit(): void {
    while (this.inFlight < this.limit) {
      const next = this.#waiting.shift();
      if (!next) return;
      this.#take();
      next.enter();
    }
  }
}

export class LagControl {
  readonly #conferences = new LRUCache<string, ConferenceLag>({ max: CONFERENCES });

  constructor(private readonly options: LagOptions = {}) {}

  of(conference: string): ConferenceLag {
    let lag = this.#conferences.get(conference);
    if (!lag) {
      lag = new ConferenceLag(this.options);
      this.#conferences.set(conference, lag);
    }
    return lag;
  }
}

/** Thousands a second, of which nobody asks where they were thrown: to look it up is the dearest part of an error. */
function withoutStack<E extends Error>(make: () => E): E {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  const error = make();
  Error.stackTraceLimit = stackTraceLimit;
  return error;
}
