import type { Logger } from '../logger.js';
import { packagedBinaries, runnableBinaries } from './binaries.js';
import { type Cluster, ensureCluster, SUPERUSER, syncNewCluster } from './cluster.js';
import { fileWitnesses } from './file-witness.js';
import { lockInstance } from './instance-lock.js';
import { findPlace } from './place.js';
import { startServer } from './server.js';

export interface EmbeddedOptions {
  /** Made when missing. The database lies in it, except as root below a closed folder (see `notes`). */
  readonly dataDir: string;
  readonly logger: Logger;
  /** Settings of the server over its defaults, e.g. `{ max_connections: '200' }`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** What a second start is told about this one, e.g. the address of the service. */
  readonly purpose?: string;
  /** Default `/var/lib/hallway`. */
  readonly fallbackRoot?: string;
  /** Folder with `bin/postgres`; default: the installed package for this platform. */
  readonly native?: string;
}

export interface EmbeddedPostgres {
  /** Superuser, with the password: a secret. */
  readonly url: string;
  /** Where the database lies; not always the folder asked for. */
  readonly dataDir: string;
  /** Decisions worth printing, one sentence each. */
  readonly notes: readonly string[];
  readonly startedInMs: number;
  /** What tells these files from a copy of them (`checkRestore`). */
  readonly witnesses: Readonly<Record<string, string | null>>;
  /** Resolves when the server ended without being asked. */
  readonly died: Promise<void>;
  /** Ends the server (clients that stay for a second are disconnected) and gives the folder free. Call it last. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Starts the Postgres that comes with the package, for this process alone; it ends when this process ends, however that
 * happens. What a killed run left (server, pid file, half-made files) is cleared.
 * @throws InstanceHeld when a living process uses the folder
 * @throws EmbeddedUnavailable when it cannot run on this machine
 */
export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const begun = performance.now();
  const { logger } = options;
  const native = options.native ?? packagedBinaries();
  const place = await findPlace(options.dataDir, options.fallbackRoot ?? '/var/lib/hallway');
  const lock = await lockInstance(place.folder, options.purpose ?? '');
  try {
    const binaries = await runnableBinaries(native, place.folder, place.user);
    const cluster = await ensureCluster(binaries.folder, place);
    const settings = options.settings ?? {};
    const server = await startServer({
      native: binaries.folder,
      folder: cluster.folder,
      user: place.user,
      settings,
      logger,
    });
    const syncing = cluster.isNew ? syncNewCluster(binaries.folder, place, cluster, logger) : Promise.resolve();
    let isAsked = false;
    const stop = async () => {
      isAsked = true;
      await Promise.all([server.stop(), syncing]);
      lock.release();
    };
    let stopping: Promise<void> | undefined;
    return {
      url: urlOf(cluster, server.port),
      dataDir: place.folder,
      notes: [...place.notes, ...binaries.notes],
      witnesses: fileWitnesses(cluster.folder),
      startedInMs: Math.round(performance.now() - begun),
      died: new Promise((resolve) => void server.ended.then(() => isAsked || resolve())),
      stop: () => {
        stopping ??= stop();
        return stopping;
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

function urlOf(cluster: Cluster, port: number): string {
  return `postgres://${SUPERUSER}:${cluster.password}@127.0.0.1:${port}/postgres`;
}
