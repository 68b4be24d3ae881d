/**
 * The registry of every bound in the system (I9). A bound is declared where it is enforced; docs/limits.md and the metric `feed.limit`
 * are made from this registry, so that the page and the dashboard cannot differ from the code.
 */

export type LimitUnit =
  | 'bytes'
  | 'characters'
  | 'commands'
  | 'connections'
  | 'days'
  | 'documents'
  | 'entries'
  | 'events'
  | 'items'
  | 'levels'
  | 'ms'
  | 'per minute'
  | 'per second'
  | 'records'
  | 'requests'
  | 'rows'
  | 'seconds'
  | 'sessions'
  | 'share'
  | 'sockets';

export interface Limit {
  /** Dotted, lower case; the part before the first dot is the area: `log.append.waiting`. Unique. */
  readonly name: string;
  readonly value: number;
  readonly unit: LimitUnit;
  /** What happens beyond it, as a sentence without a subject: "refused with 104". */
  readonly beyond: string;
  /** The environment variable that sets it; absent: it is fixed in the code. */
  readonly setting?: string;
}

const registry = new Map<string, Limit>();

/** Declares a bound and returns its number. @throws Error if another bound has this name, for then the page would show one of the two */
export function defineLimit(limit: Limit): number {
  if (registry.has(limit.name)) throw new Error(`the limit ${limit.name} is defined twice`);
  registry.set(limit.name, limit);
  return limit.value;
}

/** Records the value that the configuration gave a bound; its default stands in the registry until then. */
export function configureLimit(name: string, value: number): void {
  const known = registry.get(name);
  if (!known?.setting) throw new Error(`the limit ${name} cannot be set`);
  registry.set(name, { ...known, value });
}

/** Every bound of the modules that this process has loaded, in order of name. */
export function limits(): readonly Limit[] {
  return [...registry.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}
