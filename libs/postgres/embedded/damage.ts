/** Why the files of the embedded database cannot be used, in one line: what is wrong, where, what to do. */
import fs from 'node:fs';
import path from 'node:path';

/** The data folder must be mended by a person; the message is one line that says how. */
export class FolderDamaged extends Error {
  override readonly name = 'FolderDamaged';
}

/** The disk with the data folder is full. It passes, once there is space again. */
export class DiskFull extends Error {
  override readonly name = 'DiskFull';

  readonly folder: string;

  constructor(folder: string) {
    super(`the disk with ${folder} is full`);
    this.folder = folder;
  }
}

const RESTORE = 'restore the folder from a backup';
const NO_SPACE = /No space left on device|ENOSPC|Disk quota exceeded|EDQUOT/;

/** What a look at the files shows; Postgres would say it in other words, or not at all. @throws FolderDamaged */
export function inspectFiles(folder: string): void {
  const mode = fs.statSync(folder).mode & 0o777;
  if ((mode & 0o700) !== 0o700 || (mode & 0o027) !== 0)
    throw new FolderDamaged(`${folder} has mode 0${mode.toString(8)}, and Postgres wants 0700: chmod 700 ${folder}`);
  if (fs.readdirSync(folder).length === 0)
    throw new FolderDamaged(`${folder} is empty: ${RESTORE}, or remove ${folder} to begin with an empty database`);
}

/** @param error  of Node, of Postgres, or a text of either */
export const isDiskFull = (error: unknown): boolean =>
  error instanceof DiskFull ||
  (error as { readonly code?: unknown } | null)?.code === '53100' ||
  NO_SPACE.test(String(error));

/** @param log  what the server wrote before it ended */
export function explainFailure(folder: string, log: string): Error {
  if (isDiskFull(log)) return new DiskFull(folder);
  return new FolderDamaged(configurationFault(log) ?? versionFault(folder, log) ?? anyFault(folder, log));
}

function configurationFault(log: string): string | undefined {
  const syntax = /(?:syntax|invalid|unrecognized)[^\n]*/.exec(log)?.[0];
  const settings = /configuration file "([^"]+)" (?:contains errors|could not)/.exec(log)?.[1];
  const at = /in file "([^"]+)"/.exec(log)?.[1] ?? settings;
  if (settings) return `${at} is damaged (${syntax?.replace(` in file "${at}"`, '')}): correct or remove that line`;
  const lost = /could not access the server configuration file "([^"]+)": ([^\n]+)/.exec(log);
  if (lost) return `${lost[1]} cannot be read (${lost[2]}): ${RESTORE}`;
  const access = /could not load (\S*pg_hba\.conf)/.exec(log)?.[1];
  if (!access) return undefined;
  const why = /LOG: +([^\n]+)\n[^\n]*(?:CONTEXT: +line|FATAL: +could not load)/.exec(log)?.[1] ?? 'unreadable';
  return `${access} is damaged (${why.replace(` "${access}"`, '')}): its only line must be "host all all 127.0.0.1/32 scram-sha-256"`;
}

function versionFault(folder: string, log: string): string | undefined {
  const made = /initialized by PostgreSQL version (\S+), which is not compatible with this version (\d+)/.exec(log);
  if (made)
    return `${folder} was made by PostgreSQL ${made[1]}, and this is ${made[2]}: start the version of Hallway that made it, or correct PG_VERSION if somebody changed it`;
  const isVersion = /PG_VERSION" (?:is missing|does not contain valid data)/.test(log);
  if (isVersion)
    return `${path.join(folder, 'PG_VERSION')} is damaged (${/PG_VERSION" ([^\n.]+)/.exec(log)?.[1]}): ${RESTORE}`;
  const isControl = /pg_control|PG_CONTROL_VERSION|in control file/.test(log);
  if (isControl) return `${path.join(folder, 'global', 'pg_control')} is damaged (${reason(log)}): ${RESTORE}`;
  return undefined;
}

const anyFault = (folder: string, log: string): string =>
  `the database in ${folder} does not start (${reason(log)}): ${RESTORE}`;

/** What the server gave as the reason of its end, in one line. */
function reason(log: string): string {
  const own = /^postgres: ([\s\S]+)/.exec(log)?.[1]?.trim().split('\n').at(-1);
  const said = textOf(log, 'PANIC') ?? textOf(log, 'FATAL') ?? own ?? log.trim().split('\n').at(-1) ?? '';
  const detail = textOf(log, 'DETAIL');
  return [said, ...(detail ? [detail] : [])].join('; ').slice(0, 400) || 'it said nothing';
}

const textOf = (log: string, level: string): string | undefined =>
  new RegExp(`\\] ${level}: +([^\\n]+)`).exec(log)?.[1]?.replace(/\.$/, '');
