import fs from 'node:fs';
import path from 'node:path';

/**
 * What tells the files of a database from a copy of them: inode and birth time of a file that is never written again. Where the file
 * system keeps no birth time, the change time is told in its place, which is no witness.
 */
export function fileWitnesses(folder: string): Readonly<Record<'inode' | 'born', string | null>> {
  const { ino, birthtimeNs, ctimeNs } = fs.statSync(path.join(folder, 'PG_VERSION'), { bigint: true });
  const isKept = birthtimeNs > 0n && birthtimeNs !== ctimeNs;
  return { inode: String(ino), born: isKept ? String(birthtimeNs) : null };
}
