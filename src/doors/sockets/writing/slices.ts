/** Long work over many sockets, cut into slices, so that the event loop gets its turn in between (D19). */
import { defineLimit } from '#libs/limits';
import type { Logger } from '#libs/postgres';

/** How long one slice of all such work together may take, milliseconds; it looks at the clock after every few items. */
export const SLICE_MS = defineLimit({
  name: 'sockets.slice',
  value: 3,
  unit: 'ms',
  beyond: 'work over many sockets goes on in the next turn of the event loop',
});
const ITEMS_PER_LOOK = 4;

/** Desks before screens before phones. */
export const PRIORITY = { desk: 0, screen: 1, phone: 2 } as const;
type Priority = (typeof PRIORITY)[keyof typeof PRIORITY];

interface Job {
  /** Works on the next few items. @returns whether there are more */
  step(): boolean;
}

/** One queue for the whole process: two slices never follow each other in one turn of the event loop. */
export class Slices {
  private readonly queues: readonly [Job[], Job[], Job[]] = [[], [], []];
  private scheduled = false;

  constructor(private readonly logger: Logger) {}

  /** Items in their order; what fails for one is logged and keeps nothing from the others. */
  run<T>(priority: Priority, items: readonly T[], each: (item: T) => void, done?: () => void): void {
    let next = 0;
    this.queues[priority].push({
      step: () => {
        const end = Math.min(next + ITEMS_PER_LOOK, items.length);
        while (next < end) this.guarded(() => each(items[next++] as T));
        if (next < items.length) return true;
        if (done) this.guarded(done);
        return false;
      },
    });
    this.schedule();
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.slice();
      if (this.queues.some((queue) => queue.length > 0)) this.schedule();
    });
  }

  private slice(): void {
    const end = performance.now() + SLICE_MS;
    for (const queue of this.queues) {
      for (let job = queue[0]; job; job = queue[0]) {
        while (job.step()) {
          if (performance.now() < end) continue;
          // Jobs of one priority take turns.
          queue.push(...queue.splice(0, 1));
          return;
        }
        queue.shift();
        if (performance.now() >= end) return;
      }
    }
  }

  private guarded(act: () => void): void {
    try {
      act();
    } catch (err) {
      this.logger.error({ err }, 'work on one socket failed');
    }
  }
}
