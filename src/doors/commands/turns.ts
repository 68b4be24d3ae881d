/**
 * Commands are decided in turns: a desk's at once, others a few at a time, between which whatever has arrived meanwhile is read. A
 * hall that votes in one moment arrives as hundreds of messages in one turn of the event loop; decided in that turn, all of them
 * would be before a desk's command that arrives a moment later (D8).
 */
import { type Lane, LaneQueue } from '#libs/event-log';

/** So many are decided in one turn of the event loop: a few milliseconds. */
export const DECIDED_PER_TURN = 8;

export class CommandTurns {
  readonly #waiting = new LaneQueue<() => void>();
  #isScheduled = false;

  /** Undefined: at once. */
  next(lane: Lane): Promise<void> | undefined {
    if (lane === 'interactive') return undefined;
    const turn = new Promise<void>((resolve) => this.#waiting.push(lane, resolve));
    this.#schedule();
    return turn;
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      for (let count = 0; count < DECIDED_PER_TURN; count++) {
        const next = this.#waiting.next();
        if (!next) return;
        next.item();
      }
      if (this.#waiting.size > 0) this.#schedule();
    });
  }
}
