import { execFile } from 'node:child_process';
import fs from 'node:fs';

/** Another user of the operating system; undefined in signatures means: the one we are. */
export interface SystemUser {
  readonly uid: number;
  readonly gid: number;
  readonly name: string;
}

/** A process across reuse of its number: what `start` says about number `pid` does not come again. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly start: string;
}

export interface Ran {
  readonly ok: boolean;
  /** What it wrote to stderr, or why it could not be started. */
  readonly complaint: string;
}

/** Children get no variables of ours: PGDATA, PGPORT and their kin would redirect the database. */
export const CHILD_ENVIRONMENT = { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C' } as const;

/** Runs a program to its end, in the root folder (ours may be closed to the other user). */
export function run(file: string, args: readonly string[], user: SystemUser | undefined, input = ''): Promise<Ran> {
  return new Promise((resolve) => {
    const as = user ? { uid: user.uid, gid: user.gid } : {};
    try {
      const child = execFile(file, args, { ...as, cwd: '/', env: CHILD_ENVIRONMENT }, (error, _stdout, stderr) =>
        resolve({ ok: error === null, complaint: stderr.trim() || (error?.message ?? '') }),
      );
      // A program that has ended reads no more; how it ended is told above.
      child.stdin?.on('error', () => undefined).end(input);
    } catch (error) {
      // A user that may not be taken on is refused by spawn itself, synchronously on some platforms.
      resolve({ ok: false, complaint: String(error) });
    }
  });
}

/** The process that now has this number; undefined when there is none, or only an unreaped dead one. */
export async function identifyProcess(pid: number): Promise<ProcessIdentity | undefined> {
  if (process.platform === 'linux') {
    const stat = readOrUndefined(`/proc/${pid}/stat`);
    // The program's name, in parentheses, may contain anything; after it: state, then the start in ticks as number 22.
    const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (!fields || fields[0] === 'Z' || fields[0] === 'X') return undefined;
    const boot = readOrUndefined('/proc/sys/kernel/random/boot_id')?.trim() ?? '';
    return { pid, start: `${boot}/${fields[19]}` };
  }
  const described = (await output('/bin/ps', ['-o', 'stat=,lstart=', '-p', String(pid)])).trim();
  return described === '' || described.startsWith('Z') ? undefined : { pid, start: described.replace(/^\S+\s+/, '') };
}

/** Command line of a process, words joined by one space; empty when it is gone. */
export async function commandLine(pid: number): Promise<string> {
  if (process.platform === 'linux') return (readOrUndefined(`/proc/${pid}/cmdline`) ?? '').replaceAll('\0', ' ').trim();
  return (await output('/bin/ps', ['-o', 'command=', '-p', String(pid)])).trim();
}

function readOrUndefined(file: string): string | undefined {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return undefined; // no such process (or none that we may see): that is the answer
  }
}

function output(file: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(file, args, { env: CHILD_ENVIRONMENT }, (_error, stdout) => resolve(stdout));
  });
}
