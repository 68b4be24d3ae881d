import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { FolderDamaged } from './damage.js';
import { run, type SystemUser } from './processes.js';
import { EmbeddedUnavailable } from './unavailable.js';

/** Where the database lies and as whom it runs. */
export interface Place {
  readonly folder: string;
  /** Set when we are root, which Postgres refuses to be. */
  readonly user: SystemUser | undefined;
  /** What was decided and should be told. */
  readonly notes: readonly string[];
}

export const CLUSTER = 'postgres';
/** Users that exist nearly everywhere and own nothing of worth; making one would change the machine. */
const CANDIDATES = ['postgres', 'nobody', 'node', 'daemon'];

/**
 * @param dataDir made when missing
 * @param fallbackRoot where root keeps a database whose `dataDir` lies below a folder closed to other users
 */
export async function findPlace(dataDir: string, fallbackRoot: string): Promise<Place> {
  makeFolder(dataDir);
  const folder = fs.realpathSync(dataDir);
  if (process.getuid?.() === 0) return findPlaceForRoot(folder, fallbackRoot);
  try {
    fs.accessSync(folder, fs.constants.W_OK | fs.constants.X_OK);
    if (fs.existsSync(path.join(folder, CLUSTER))) fs.accessSync(path.join(folder, CLUSTER), fs.constants.W_OK);
  } catch {
    throw closedTo(folder);
  }
  return { folder, user: undefined, notes: [] };
}

/** @returns why files in `folder` cannot be written by the user we are */
function closedTo(folder: string): Error {
  const cluster = path.join(folder, CLUSTER);
  for (const place of [folder, cluster]) {
    const stat = fs.statSync(place, { throwIfNoEntry: false });
    if (!stat) continue;
    if (stat.uid !== process.getuid?.())
      return new FolderDamaged(
        `${place} belongs to user ${nameOf(stat.uid)}, and this is user ${nameOf(process.getuid?.() ?? -1)}: start as that user, or chown -R (was it started as root before?)`,
      );
    if ((stat.mode & 0o300) !== 0o300)
      return new FolderDamaged(
        `${place} has mode 0${(stat.mode & 0o777).toString(8)} and cannot be written: chmod 700 ${place}`,
      );
  }
  return new FolderDamaged(`${folder} cannot be written: is it mounted read-only?`);
}

/** One level after the other: Node's own `recursive` tries for ever where a parent is there and nothing can be made in it (/proc). */
function makeFolder(folder: string): void {
  const parent = path.dirname(folder);
  if (!fs.existsSync(parent)) makeFolder(parent);
  try {
    fs.mkdirSync(folder);
  } catch (error) {
    if (!fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw error;
  }
}

async function findPlaceForRoot(folder: string, fallbackRoot: string): Promise<Place> {
  const hash = createHash('sha256').update(folder).digest('hex').slice(0, 12);
  const fallback = path.join(fallbackRoot, hash);
  const cluster = path.join(folder, CLUSTER);
  const inPlace = fs.existsSync(cluster);
  if (!inPlace && fs.existsSync(path.join(fallback, CLUSTER))) {
    return { folder: fallback, user: await ownerOf(path.join(fallback, CLUSTER)), notes: [`database in ${fallback}`] };
  }
  const user = inPlace ? await ownerOf(cluster) : await anyUser();
  const notes = [`run as root: the database runs as user ${user.name}`];
  const mode = fs.statSync(folder).mode & 0o777;
  if ((mode & 0o011) !== 0o011) {
    fs.chmodSync(folder, mode | 0o011);
    notes.push(`${folder} made passable (0${(mode | 0o011).toString(8)}) for user ${user.name}`);
  }
  if (await canEnter(folder, user)) return { folder, user, notes };
  // Starting an empty database elsewhere would look like lost data.
  if (inPlace) throw new EmbeddedUnavailable(`a folder above ${cluster} is closed to its owner, user ${user.name}`);
  for (const part of [fallbackRoot, fallback]) {
    makeFolder(part);
    fs.chmodSync(part, 0o711);
  }
  if (!(await canEnter(fallback, user))) throw new EmbeddedUnavailable(`${fallback} is closed to user ${user.name}`);
  return {
    folder: fallback,
    user,
    notes: [...notes, `database in ${fallback}: a folder above ${folder} is closed to user ${user.name}`],
  };
}

async function canEnter(folder: string, user: SystemUser): Promise<boolean> {
  return (await run('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], user)).ok;
}

async function anyUser(): Promise<SystemUser> {
  const users = passwd();
  let complaint = '';
  for (const name of CANDIDATES) {
    const user = users.find((candidate) => candidate.name === name);
    if (!user) continue;
    const tried = await run('/bin/sh', ['-c', 'exit 0'], user);
    if (tried.ok) return user;
    complaint = `: ${tried.complaint}`;
  }
  throw new EmbeddedUnavailable(
    `Postgres refuses to run as root, and no user of ${CANDIDATES} can be used${complaint}`,
  );
}

async function ownerOf(folder: string): Promise<SystemUser> {
  const { uid, gid } = fs.statSync(folder);
  if (uid === 0)
    throw new FolderDamaged(
      `${folder} belongs to root, as whom Postgres refuses to run: chown -R it to the user who owned it (postgres or nobody)`,
    );
  return { uid, gid, name: nameOf(uid) };
}

function nameOf(uid: number): string {
  return uid === 0 ? 'root' : (passwd().find((user) => user.uid === uid)?.name ?? String(uid));
}

function passwd(): readonly SystemUser[] {
  const lines = fs.existsSync('/etc/passwd') ? fs.readFileSync('/etc/passwd', 'utf8').split('\n') : [];
  return lines.flatMap((line) => {
    const [name, , uid, gid] = line.split(':');
    return name && uid && gid && uid !== '0' ? [{ name, uid: Number(uid), gid: Number(gid) }] : [];
  });
}
