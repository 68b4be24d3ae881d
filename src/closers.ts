/** What a process has opened and must close again, in reverse order of opening. */
import { performance } from 'node:perf_hooks';
import { defineLimit } from '#libs/limits';
import type { Logger } from '#libs/postgres';

/** Milliseconds that one closer may take, unless it says otherwise; the next one runs then. */
export const CLOSE_WITHIN_MS = defineLimit({
  name: 'stop.close.time',
  value: 2_000,
  unit: 'ms',
  beyond: 'what is being closed is left, with a line in the log and exit code 1; the database has 35 s',
});

interface Closer {
  readonly name: string;
  readonly close: () => unknown;
  readonly withinMs: number;
}

/** Some of what was opened could not be closed; each failure was logged. */
export class CloseFailed extends Error {
  override readonly name = 'CloseFailed';

  constructor(readonly failed: readonly string[]) {
    super(`could not be closed: ${failed.join(', ')}`);
  }
}

export class Closers {
  readonly #closers: Closer[] = [];
  #closing: Promise<void> | undefined;

  constructor(private readonly logger: Pick<Logger, 'error' | 'debug'>) {}

  add(name: string, close: () => unknown, withinMs = CLOSE_WITHIN_MS): void {
    this.#closers.push({ name, close, withinMs });
  }

  /**
   * Closes everything, the last opened first. A closer that throws, or is not done in time, is logged and keeps no other from running:
   * what is opened first, the embedded database, must be closed in any case. Idempotent.
   * @throws CloseFailed, after everything was tried
   */
  close(): Promise<void> {
    this.#closing ??= this.#run();
    return this.#closing;
  }

  async #run(): Promise<void> {
    const failed: string[] = [];
    for (const { name, close, withinMs } of this.#closers.reverse()) {
      const started = performance.now();
      try {
        await within(withinMs, close);
        this.logger.debug({ name, tookMs: Math.round(performance.now() - started) }, 'closed');
      } catch (err) {
        failed.push(name);
        this.logger.error({ err, name }, 'could not be closed; the rest is closed all the same');
      }
    }
    if (failed.length > 0) throw new CloseFailed(failed);
  }
}

async function within(ms: number, close: () => unknown): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not closed within ${ms} ms`)), ms);
  });
  try {
    await Promise.race([(async () => close())(), late]);
  } finally {
    clearTimeout(timer);
  }
}
