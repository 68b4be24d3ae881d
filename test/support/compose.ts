/** docker-compose.yml as text says it, with variables filled in; the wiring is tested by starting the same processes with it. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

export interface ComposeService {
  readonly image?: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly read_only?: boolean;
  readonly deploy?: { readonly replicas?: number; readonly resources?: { readonly limits?: object } };
  readonly init?: boolean;
  readonly healthcheck?: { readonly test: readonly string[]; readonly interval: string };
  readonly profiles?: readonly string[];
  readonly volumes?: readonly string[];
}

export interface Compose {
  readonly name?: string;
  readonly services: Readonly<Record<string, ComposeService>>;
}

/**
 * `${NAME:?message}` and `${NAME:-default}`, as compose reads them: in what was parsed, so that nothing filled in is an empty string.
 * @throws Error: a variable that must be set is not
 */
export function readCompose(variables: Readonly<Record<string, string>>): Compose {
  const fillIn = (text: string) =>
    text.replaceAll(/\$\{(\w+)(?::([-?])([^}]*))?\}/g, (_, name: string, kind: string | undefined, rest = '') => {
      const value = variables[name];
      if (value) return value;
      if (kind === '?') throw new Error(`${name}: ${rest}`);
      return rest;
    });
  const reviver = (_: unknown, value: unknown) => (typeof value === 'string' ? fillIn(value) : value);
  return parse(readFileSync('docker-compose.yml', 'utf8'), reviver, { merge: true }) as Compose;
}
