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

export function keepRunning(first: Server, options: KeepOptions): KeptServer {
  const { folder, logger, launch, spaceEveryMs = SPACE_EVERY_MS } = options;
  const asked = new AbortController();
  let server: Server | undefined = first;
  let problem: string | undefined;
  let restarts: number[] = [];

  /** @throws if it breaks down too often, or its folder must be mended by a person */
  async function again(): Promise<Server | undefined> {
    for (;;) {
      if (await isFull(folder)) {
        await delay(spaceEveryMs, undefined, { signal: asked.signal });
        continue;
      }
      try {
        return await launch(first.port);
      } catch (error) {
        if (!(error instanceof DiskFull)) throw error;
        await delay(spaceEveryMs, undefined, { signal: asked.signal });
      }
    }
  }

  async function run(): Promise<void> {
    while (server) {
      await server.ended;
      if (asked.signal.aborted) return;
      const { isDiskFull } = server;
      server = undefined;
      const { free } = await spaceOf(folder);
      if (isDiskFull()) {
        problem = `disk is full: ${free} free for ${folder}; the database is started again once there is space`;
        logger.error(
          { folder, free },
          'disk is full: the embedded database stopped and is started again once there is space',
        );
      } else {
        const now = performance.now();
        restarts = [...restarts.filter((at) => now - at < RESTARTS_WINDOW_MS), now];
        if (restarts.length > MAX_RESTARTS)
          throw new Error(`the embedded database ended ${restarts.length} times in 10 minutes`);
        problem = 'the embedded database ended and is being started again';
        logger.error({ folder }, 'the embedded database ended without being asked and is started again');
        await delay(PAUSE_MS * restarts.length, undefined, { signal: asked.signal });
      }
      server = await again();
      problem = undefined;
      logger.info({ folder }, 'the embedded database is running again');
    }
  }

  const running = run();
  return {
    died: new Promise((resolve) => {
      running.catch((err: unknown) => {
        if (asked.signal.aborted) return;
        logger.error({ err }, 'the embedded database cannot be started again');
        resolve();
      });
    }),
    problem: () => problem,
    async stop() {
      asked.abort();
      await server?.stop();
      await running.catch(() => undefined); // Said above, or the wait was ended.
      // One that was being started meanwhile.
      await server?.stop();
    },
  };
}

async function isFull(folder: string): Promise<boolean> {
  return (await spaceOf(folder)).bytes < SPACE_NEEDED_BYTES;
}

/** For the database's user: reserved blocks are root's. */
async function spaceOf(folder: string): Promise<{ readonly bytes: number; readonly free: string }> {
  const { bavail, bsize } = await statfs(folder);
  const bytes = bavail * bsize;
  return { bytes, free: `${Math.floor(bytes / 1024 / 1024)} MB` };
}
