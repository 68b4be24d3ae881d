import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type { Logger } from '../logger.js';
import { DiskFull, explainFailure, FolderDamaged, inspectFiles, isDiskFull } from './damage.js';
import { CLUSTER, type Place } from './place.js';
import { run } from './processes.js';
import { EmbeddedUnavailable } from './unavailable.js';

export interface Cluster {
  readonly folder: string;
  /** undefined: its file is gone, and a new one must be set. */
  readonly password: string | undefined;
  readonly isNew: boolean;
}

export const SUPERUSER = 'hallway';
const PASSWORD_FILE = 'postgres.password';

/**
 * The database's files, made when missing. They are made under another name and renamed when whole, so a start that was
 * killed half way leaves nothing that looks like a database. Locale C: the same order of text on every machine, and none of
 * the library versions that indexes would depend on.
 */
export async function ensureCluster(native: string, place: Place): Promise<Cluster> {
  const folder = path.join(place.folder, CLUSTER);
  removeDrafts(place.folder);
  if (fs.existsSync(folder)) {
    inspectFiles(folder);
    return { folder, password: readPassword(place.folder), isNew: false };
  }
  // Never the same name twice: an initdb whose parent was killed may still be writing into its own.
  const draft = fs.mkdtempSync(`${folder}.partial-`);
  // initdb reads the password as the database's user; the file that stays is ours alone.
  const password = randomBytes(24).toString('base64url');
  const handover = path.join(place.folder, `${PASSWORD_FILE}.partial`);
  writePrivate(handover, password);
  if (place.user) {
    fs.chownSync(draft, place.user.uid, place.user.gid);
    fs.chownSync(handover, place.user.uid, place.user.gid);
  }
  const args = ['-D', draft, '-U', SUPERUSER, '-A', 'scram-sha-256', `--pwfile=${handover}`];
  const made = await run(
    path.join(native, 'bin', 'initdb'),
    [...args, '-E', 'UTF8', '--locale=C', '--no-sync'],
    place.user,
  );
  fs.rmSync(handover, { force: true });
  if (!made.ok && isDiskFull(made.complaint)) throw new DiskFull(place.folder);
  if (!made.ok) throw new EmbeddedUnavailable(`its files could not be made (${oneLine(made.complaint)})`);
  writePrivate(passwordFile(place.folder), password);
  fs.renameSync(draft, folder);
  return { folder, password, isNew: true };
}

/** Brings the files of a new cluster to the disk (1 to 2 s, beside the running server). Rejects never. */
export async function syncNewCluster(native: string, place: Place, cluster: Cluster, logger: Logger): Promise<void> {
  const synced = await run(path.join(native, 'bin', 'initdb'), ['--sync-only', '-D', cluster.folder], place.user);
  if (!synced.ok) logger.warn({ complaint: synced.complaint }, 'the new database was not brought to the disk at once');
}

function removeDrafts(folder: string): void {
  for (const name of fs.readdirSync(folder).filter((entry) => entry.startsWith(`${CLUSTER}.partial-`))) {
    try {
      fs.rmSync(path.join(folder, name), { recursive: true, force: true });
    } catch {
      // an initdb that lost its parent still writes there: the next start removes the rest
    }
  }
}

const oneLine = (text: string): string =>
  text
    .trim()
    .replaceAll(/\s*\n\s*/g, '; ')
    .slice(0, 500);

export const passwordFile = (folder: string): string => path.join(folder, PASSWORD_FILE);

function readPassword(folder: string): string | undefined {
  const file = passwordFile(folder);
  try {
    return fs.readFileSync(file, 'utf8').trim() || undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new FolderDamaged(
      `${file} cannot be read (${code}): make it readable, or remove it and a new password is set`,
    );
  }
}

/**
 * Sets a new password, for the one that was in the file is lost. Who can write the database's files may do that: its single-user mode
 * asks for none. The server must not be running.
 */
export async function renewPassword(native: string, place: Place, folder: string): Promise<string> {
  const password = randomBytes(24).toString('base64url');
  const args = ['--single', '-D', folder, '-c', 'log_min_error_statement=panic', 'postgres'];
  const sql = `alter role ${SUPERUSER} password '${password}'\n`;
  const ran = await run(path.join(native, 'bin', 'postgres'), args, place.user, sql);
  if (!ran.ok || /ERROR|FATAL|PANIC/.test(ran.complaint)) throw explainFailure(folder, ran.complaint);
  writePrivate(passwordFile(place.folder), password);
  return password;
}

function writePrivate(file: string, text: string): void {
  fs.rmSync(file, { force: true });
  fs.writeFileSync(file, text, { mode: 0o600, flag: 'wx' });
}
