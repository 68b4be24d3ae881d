/**
 * Small values kept in this browser. Storage may be forbidden or full: then they last for the visit, and `isForgetful()` lets pages say so.
 *
 * For the visit means: in memory, in `history.state` (a reload and Back find them) and in the fragment of links to other pages of this
 * service (browsers send fragments to no server; the page that is opened takes it out of the address).
 */
const PREFIX = 'hallway.';
/** Bytes that must fit for storage to count as usable. */
const PROBE_BYTES = 2_000;
/** Characters kept for a visit: links carry them. */
export const MAX_VISIT_CHARACTERS = 200_000;
/** Safari allows 100 changes of `history.state` in 30 s. */
const HISTORY_EVERY_MS = 1_000;

const visit = new Map<string, string>();
const inBrowser = typeof document !== 'undefined';
let forgetful = inBrowser && !isUsable();
let historyTimer: ReturnType<typeof setTimeout> | undefined;
let historyAt = Number.NEGATIVE_INFINITY;

if (forgetful) becomeForgetful();

/** Storage does not keep what is saved: it lasts until the tab is closed. */
export const isForgetful = (): boolean => forgetful;

/** @returns whether it outlasts the visit */
export function save(key: string, value: string): boolean {
  try {
    localStorage.setItem(PREFIX + key, value);
    if (visit.delete(key)) rememberVisit();
    return true;
  } catch {
    // Storage is full or forbidden: for the visit, then.
  }
  const held = [...visit].reduce((sum, [name, text]) => sum + (name === key ? 0 : text.length), 0);
  if (held + value.length <= MAX_VISIT_CHARACTERS) visit.set(key, value);
  if (!forgetful) becomeForgetful();
  rememberVisit();
  return false;
}

export function load(key: string): string | undefined {
  const held = visit.get(key);
  if (held !== undefined) return held;
  try {
    return localStorage.getItem(PREFIX + key) ?? undefined;
  } catch {
    return undefined;
  }
}

export function remove(key: string): void {
  if (visit.delete(key)) rememberVisit();
  try {
    localStorage.removeItem(PREFIX + key);
  } catch {
    // Storage is forbidden: there is nothing in it.
  }
}

/** Keys that begin so. */
export function keysOf(prefix: string): readonly string[] {
  const keys = new Set([...visit.keys()].filter((key) => key.startsWith(prefix)));
  try {
    for (let index = 0; index < localStorage.length; index++) {
      const key = localStorage.key(index);
      if (key?.startsWith(PREFIX + prefix)) keys.add(key.slice(PREFIX.length));
    }
  } catch {
    // As above.
  }
  return [...keys];
}

/** Another tab changed a key that begins so. @returns how to stop listening */
export function onOtherTab(prefix: string, listener: () => void): () => void {
  if (!inBrowser) return () => undefined;
  const hear = ({ key }: StorageEvent) => {
    if (key === null || key.startsWith(PREFIX + prefix)) listener();
  };
  addEventListener('storage', hear);
  return () => removeEventListener('storage', hear);
}

/** The address of a page of this service, with what is kept for the visit. */
export function withVisit(address: string): string {
  if (visit.size === 0) return address;
  const [path = '', fragment = ''] = address.split('#');
  const values = new URLSearchParams(fragment);
  values.set('visit', JSON.stringify(Object.fromEntries(visit)));
  return `${path}#${values}`;
}

function isUsable(): boolean {
  try {
    localStorage.setItem(`${PREFIX}probe`, 'x'.repeat(PROBE_BYTES));
    localStorage.removeItem(`${PREFIX}probe`);
    return true;
  } catch {
    return false;
  }
}

function becomeForgetful(): void {
  forgetful = true;
  if (!inBrowser) return;
  const values = new URLSearchParams(location.hash.slice(1));
  readVisit((history.state as { visit?: unknown } | null)?.visit);
  try {
    readVisit(JSON.parse(values.get('visit') ?? 'null'));
  } catch {
    // Not ours.
  }
  values.delete('visit');
  if (location.hash.includes('visit='))
    history.replaceState(
      history.state,
      '',
      location.pathname + location.search + (values.size > 0 ? `#${values}` : ''),
    );
  rememberVisit();
  addEventListener('pagehide', writeHistory);
  for (const event of ['click', 'auxclick'] as const) document.addEventListener(event, carry, true);
}

function readVisit(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, text] of Object.entries(value)) if (typeof text === 'string') visit.set(key, text);
}

/** A link to another page of this service takes the visit along; its address is as before once the browser has read it. */
function carry({ target }: Event): void {
  const link = target instanceof Element ? target.closest('a') : null;
  if (!link?.href || new URL(link.href).origin !== location.origin) return;
  const plain = link.href;
  link.href = withVisit(plain);
  setTimeout(() => (link.href = plain));
}

function rememberVisit(): void {
  if (!inBrowser) return;
  const wait = historyAt + HISTORY_EVERY_MS - performance.now();
  if (wait <= 0) writeHistory();
  else historyTimer ??= setTimeout(writeHistory, wait);
}

function writeHistory(): void {
  clearTimeout(historyTimer);
  historyTimer = undefined;
  historyAt = performance.now();
  const state = history.state as object | null;
  history.replaceState({ ...state, visit: Object.fromEntries(visit) }, '');
}
