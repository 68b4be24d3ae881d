import path from 'node:path';
import { Client } from 'pg';
import type { Logger } from '../logger.js';
import { packagedBinaries, runnableBinaries } from './binaries.js';
import { ensureCluster, passwordFile, renewPassword, SUPERUSER, syncNewCluster } from './cluster.js';
import { DiskFull, explainFailure, FolderDamaged, isDiskFull } from './damage.js';
import { fileWitnesses } from './file-witness.js';
import { lockInstance } from './instance-lock.js';
import { keepRunning } from './keep-running.js';
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
  /** Resolves when the server ended without being asked and cannot be started again. */
  readonly died: Promise<void>;
  /** Why there is no server at this moment, e.g. that the disk is full; undefined: there is one. */
  problem(): string | undefined;
  /** Ends the server (clients that stay for a second are disconnected) and gives the folder free. Call it last. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Starts the Postgres that comes with the package, for this process alone; it ends when this process ends, however that
 * happens, and is started again on its port when it ended itself. What a killed run left (server, pid file, half-made files) is cleared.
 * @throws InstanceHeld when a living process uses the folder
 * @throws EmbeddedUnavailable when it cannot run on this machine
 * @throws FolderDamaged when the files must be mended, DiskFull when there is no space
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
    const launch = (port?: number) =>
      startServer({
        native: binaries.folder,
        folder: cluster.folder,
        user: place.user,
        settings: options.settings ?? {},
        logger,
        ...(port === undefined ? {} : { port }),
      });
    let server = await launch();
    const notes = [...place.notes, ...binaries.notes];
    let { password } = cluster;
    if (password === undefined) {
      // It was started to clear what a predecessor left: single-user mode would refuse.
      await server.stop();
      password = await renewPassword(binaries.folder, place, cluster.folder);
      server = await launch();
      notes.push(`${passwordFile(place.folder)} was missing: a new password was set`);
    }
    const url = urlOf(password, server.port);
    await probe(url, cluster.folder).catch(async (error) => {
      await server.stop();
      throw error;
    });
    const syncing = cluster.isNew ? syncNewCluster(binaries.folder, place, cluster, logger) : Promise.resolve();
    const kept = keepRunning(server, { folder: cluster.folder, logger, launch });
    const stop = async () => {
      await Promise.all([kept.stop(), syncing]);
      lock.release();
    };
    let stopping: Promise<void> | undefined;
    return {
      url,
      dataDir: place.folder,
      notes,
      witnesses: fileWitnesses(cluster.folder),
      startedInMs: Math.round(performance.now() - begun),
      died: kept.died,
      problem: () => kept.problem(),
      stop: () => {
        stopping ??= stop();
        return stopping;
      },
    };
  } catch (error) {
    lock.release();
    throw isDiskFull(error) ? new DiskFull(place.folder) : error;
  }
}

const urlOf = (password: string, port: number): string =>
  `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/postgres`;

/** A server that lets us in, with the database that is ours. @throws FolderDamaged, DiskFull */
async function probe(url: string, folder: string): Promise<void> {
  const client = new Client({ connectionString: url, application_name: 'hallway probe' });
  client.on('error', () => undefined); // A broken connection fails the statement, too.
  try {
    await client.connect();
    await client.query('select 1');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === '28P01')
      throw new FolderDamaged(
        `${passwordFile(path.dirname(folder))} is not the password of the database beside it: put the right file back, or remove it and a new password is set`,
      );
    throw explainFailure(folder, `[0] FATAL:  ${message}`);
  } finally {
    await client.end().catch(() => undefined);
  }
}
