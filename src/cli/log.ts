/** `hallway log export` and `import`: move a conference between the two logs. They open database and log themselves, without a service. */

import { once } from 'node:events';
import { type FileHandle, open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { Config } from '../config.js';
import { createLogger } from '../logger.js';
import { exportConference, importConference, TransferRefused } from '../ops/log-transfer.js';
import { openStore, type Store } from '../store.js';
import { CliError } from './cli-error.js';

export async function exportLog(config: Config, conference: string): Promise<void> {
  await withStore(config, 'to read', async ({ log }) => {
    let events = -1; // The head is no event.
    for await (const line of exportConference(log, conference)) {
      if (!process.stdout.write(`${line}\n`)) await once(process.stdout, 'drain');
      events += 1;
    }
    if (events <= 0) throw new CliError(`202 the log holds no events of ${conference}`);
    process.stderr.write(`${events} events of ${conference}\n`);
  });
}

/** @param file `-` reads standard input @throws CliError */
export async function importLog(config: Config, file: string): Promise<void> {
  const input = file === '-' ? undefined : await opened(file);
  await withStore(config, 'to append', async ({ log }) => {
    // Not before somebody takes them: what a reader of lines says while nobody listens is lost.
    const lines = input?.readLines() ?? createInterface({ input: process.stdin });
    const { conference, known, appended } = await importConference(log, lines);
    console.log(`${conference}: ${appended} events appended${known > 0 ? `, ${known} were there already` : ''}`);
  });
}

async function opened(file: string): Promise<FileHandle> {
  try {
    const handle = await open(file);
    if (!(await handle.stat()).isFile()) throw Object.assign(new Error('not a file'), { code: 'not a file' });
    return handle;
  } catch (error) {
    throw new CliError(`${file} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

async function withStore(
  config: Config,
  purpose: 'to read' | 'to append',
  work: (store: Store) => Promise<void>,
): Promise<void> {
  // What is retried by itself would only hide the answer.
  const store = await openStore(config, createLogger({ ...config, LOG_LEVEL: 'error' }), {
    toRead: purpose === 'to read',
  });
  try {
    await work(store);
  } catch (error) {
    throw error instanceof TransferRefused ? new CliError(error.message) : error;
  } finally {
    await store.close();
  }
}
