/** Other projections mean other read models: the hash of everything that decides what a fold yields, as built. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const ROOT = path.resolve(HERE, '../..');
const FOLDERS = ['src/conference', 'libs/projector', 'libs/event-log', 'migrations/generation'];
const MEANS =
  /(^|\/)(projection|views|entities|events|documents|kernel|fold|prefetch|overlay|parking|release|outcomes|engine-tables|audit-entry|unfoldable|codec|envelope-header|seal|catalog|projection-set|capabilities|index|\d{4}-[\w-]+)\.(js|ts)$/;

export function projectionVersion(): string {
  const hash = createHash('sha256');
  for (const file of FOLDERS.flatMap((folder) => [...files(path.join(ROOT, folder))])
    .filter((file) => MEANS.test(file))
    .sort()) {
    hash.update(path.relative(ROOT, file).replace(/\.(js|ts)$/, '')).update(readFileSync(file));
  }
  return hash.digest('hex').slice(0, 16);
}

function* files(folder: string): Iterable<string> {
  for (const name of readdirSync(folder)) {
    const file = path.join(folder, name);
    if (statSync(file).isDirectory()) yield* files(file);
    else yield file;
  }
}
