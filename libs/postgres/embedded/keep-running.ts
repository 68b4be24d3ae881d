/** Starts the server again when it ended without being asked: at once if it broke down, and as soon as there is space if the disk was full. */
import { statfs } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../logger.js';
import { DiskFull } from './damage.js';
import type { Server } from './server.js';

interface KeptServer {
  /** Resolves when it ended without being asked and cannot be started again; the reason was logged. */
  readonly died: Promise<void>;
  /** Why there is no server at this moment; undefined: there is one. */
  problem(): string | undefined;
  stop(): Promise<void>;
}

interface KeepOptions {
  readonly folder: string;
  readonly logger: Logger;
  /** On the same port: everybody who is connected knows it by that. @throws DiskFull, FolderDamaged */
  readonly launch: (port: number) => Promise<Server>;
  /** Milliseconds between two looks whether there is space. Default 2,000. */
  readonly spaceEveryMs?: number;
}

const SPACE_EVERY_MS = 2_000;
/** With less, the server would end again in the middle of its recovery: a segment of the log has 16 MB. */
const SPACE_NEEDED_BYTES = 48 * 1024 * 1024;
/** A server that breaks down so often within the window is not started again. */
const MAX_RESTARTS = 5;
const RESTARTS_WINDOW_MS = 10 * 60_000;
const PAUSE_MS = 500;

export const keepRunning = (first: Server, options: KeepOptions): KeptServer => new Keeper(first, options);

class Keeper implements KeptServer {
  readonly died: Promise<void>;
  readonly #options: KeepOptions;
  readonly #port: number;
  readonly #asked = new AbortController();
  readonly #running: Promise<void>;
  #server: Server | undefined;
  #problem: string | undefined;
  #restarts: readonly number[] = [];

  constructor(first: Server, options: KeepOptions) {
    this.#options = options;
    this.#port = first.port;
    this.#server = first;
    this.#running = this.#run();
    this.died = new Promise((resolve) => {
      this.#running.catch((err: unknown) => {
        if (this.#asked.signal.aborted) return;
        options.logger.error({ err }, 'the embedded database cannot be started again');
        resolve();
      });
    });
  }

  problem(): string | undefined {
    return this.#problem;
  }

  async stop(): Promise<void> {
    this.#asked.abort();
    await this.#server?.stop();
    await this.#running.catch(() => undefined); // Said already, or the wait was ended.
    // One that was being started meanwhile.
    await this.#server?.stop();
  }

  async #run(): Promise<void> {
    const { folder, logger } = this.#options;
    while (this.#server) {
      await this.#server.ended;
      if (this.#asked.signal.aborted) return;
      const isFull = this.#server.isDiskFull();
      this.#server = undefined;
      if (isFull) {
        const { free } = await spaceOf(folder);
        this.#problem = `disk is full: ${free} free for ${folder}; the database is started again once there is space`;
        logger.error(
          { folder, free },
          'disk is full: the embedded database stopped and is started again once there is space',
        );
      } else await this.#brokeDown();
      this.#server = await this.#again();
      this.#problem = undefined;
      logger.info({ folder }, 'the embedded database is running again');
    }
  }

  /** @throws if it breaks down too often */
  async #brokeDown(): Promise<void> {
    const { folder, logger } = this.#options;
    const now = performance.now();
    this.#restarts = [...this.#restarts.filter((at) => now - at < RESTARTS_WINDOW_MS), now];
    const times = this.#restarts.length;
    if (times > MAX_RESTARTS) throw new Error(`the embedded database ended ${times} times in 10 minutes`);
    this.#problem = 'the embedded database ended and is being started again';
    logger.error({ folder }, 'the embedded database ended without being asked and is started again');
    await this.#pause(PAUSE_MS * times);
  }

  /** @throws if its folder must be mended by a person, or the wait is ended */
  async #again(): Promise<Server> {
    const { folder, launch, spaceEveryMs = SPACE_EVERY_MS } = this.#options;
    for (;;) {
      if ((await spaceOf(folder)).bytes >= SPACE_NEEDED_BYTES)
        try {
          return await launch(this.#port);
        } catch (error) {
          if (!(error instanceof DiskFull)) throw error;
        }
      await this.#pause(spaceEveryMs);
    }
  }

  #pause(ms: number): Promise<void> {
    return delay(ms, undefined, { signal: this.#asked.signal });
  }
}

/** For the database's user: reserved blocks are root's. */
async function spaceOf(folder: string): Promise<{ readonly bytes: number; readonly free: string }> {
  const { bavail, bsize } = await statfs(folder);
  const bytes = bavail * bsize;
  return { bytes, free: `${Math.floor(bytes / 1024 / 1024)} MB` };
}
