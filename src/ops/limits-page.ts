/** The table of docs/limits.md: every bound, made from the registry. */
import { type Limit, limits } from '#libs/limits';

/**
 * @param sources text of the source files by path, relative to the repository
 * @param load imports a source file, upon which its limits are in the registry
 */
export async function limitsTable(
  sources: ReadonlyMap<string, string>,
  load: (path: string) => Promise<unknown>,
): Promise<string> {
  const fileOf = new Map<string, string>();
  for (const [path, text] of sources) for (const name of declaredLimits(path, text)) fileOf.set(name, path);
  for (const path of new Set(fileOf.values())) await load(path);
  const rows = limits().map((limit) => rowOf(limit, fileOf));
  return ['| limit | number | unit | where set | beyond it |', '|---|---:|---|---|---|', ...rows].join('\n');
}

/** @throws Error for a declaration whose name does not come first, as a literal: the table could not say where it stands */
export function declaredLimits(path: string, text: string): readonly string[] {
  const names = [...text.matchAll(/defineLimit\(\{\s*name: '([a-z0-9.-]+)'/g)].map(([, name = '']) => name);
  const calls = text.match(/defineLimit\(\{/g)?.length ?? 0;
  if (calls !== names.length) throw new Error(`${path}: a limit's name must come first, as a literal`);
  return names;
}

function rowOf({ name, value, unit, beyond, setting }: Limit, fileOf: ReadonlyMap<string, string>): string {
  const file = fileOf.get(name);
  if (!file) throw new Error(`no source file declares the limit ${name}`);
  const where = setting ? `\`${setting}\`; default in \`${file}\`` : `\`${file}\``;
  return `| \`${name}\` | ${value.toLocaleString('en')} | ${unit} | ${where} | ${beyond.replaceAll('|', '\\|')} |`;
}
