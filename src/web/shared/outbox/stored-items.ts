/**
 * What waits to be sent, one entry of the browser's storage each: two tabs that add and remove items do not overwrite each other.
 * What is read is validated like any input: it may be damaged, or written by an older version of this page.
 */
import type { RefusalBody } from '#libs/protocol';
import { keysOf, load, remove, save } from '../browser/local-store.js';

export interface Waiting {
  /** Of the command: it is sent under the same id until it has an answer. */
  readonly id: string;
  readonly type: string;
  readonly data: Readonly<Record<string, string | null>>;
  /** Milliseconds since 1970, by this device. */
  readonly at: number;
  /** What it is about, for people; where `data` has no text. */
  readonly label?: string;
  /** Not to be sent earlier: the service said when. Milliseconds since 1970, by this device. */
  readonly notBefore?: number;
  /** Because its author does too much at once; else the service cannot take it right now. */
  readonly limited?: boolean;
  /** The final answer was no: the text goes back to its author. */
  readonly refusal?: Pick<RefusalBody, 'code' | 'message'>;
}

/** Items that wait in one browser for one person in one conference. */
export const MAX_OUTBOX_ITEMS = 50;
/** Characters of one stored item: more than any text that the service accepts. */
export const MAX_OUTBOX_ITEM_CHARACTERS = 8_000;
const MAX_ID_CHARACTERS = 100;

export interface StoredItems {
  /** Oldest first. */
  read(): readonly Waiting[];
  write(item: Waiting): void;
  delete(id: string): void;
  /** How many entries were dropped since the last question because they are no items. */
  takeDropped(): number;
}

export function storedItems(name: string): StoredItems {
  const prefix = `outbox.${name}.`;
  let dropped = 0;
  const drop = (key: string) => {
    remove(key);
    dropped += 1;
  };
  const store: StoredItems = {
    read() {
      const items = keysOf(prefix).flatMap((key) => {
        const item = parseItem(load(key));
        if (item && key === prefix + item.id) return [item];
        drop(key);
        return [];
      });
      items.sort((a, b) => a.at - b.at);
      for (const { id } of items.splice(MAX_OUTBOX_ITEMS)) drop(prefix + id);
      return items;
    },
    write: (item) => void save(prefix + item.id, JSON.stringify(item)),
    delete: (id) => remove(prefix + id),
    takeDropped() {
      const count = dropped;
      dropped = 0;
      return count;
    },
  };
  dropped += adoptList(`outbox.${name}`, store);
  return store;
}

/** One entry held all items before. @returns how many of them are no items */
function adoptList(key: string, store: StoredItems): number {
  const text = load(key);
  if (text === undefined) return 0;
  remove(key);
  const list = parse(text);
  if (!Array.isArray(list)) return 1;
  const items = list.map((one) => parseItem(JSON.stringify(one)));
  for (const item of items.slice(0, MAX_OUTBOX_ITEMS)) if (item) store.write(item);
  return items.filter((item) => !item).length + Math.max(0, items.length - MAX_OUTBOX_ITEMS);
}

/** @returns null for anything that is no item, or larger than one may be */
export function parseItem(text: string | undefined): Waiting | null {
  if (text === undefined || text.length > MAX_OUTBOX_ITEM_CHARACTERS) return null;
  const value = parse(text);
  if (!isRecord(value)) return null;
  const { id, type, data, at, label, notBefore, limited, refusal } = value;
  if (typeof id !== 'string' || id.length === 0 || id.length > MAX_ID_CHARACTERS) return null;
  if (typeof type !== 'string' || !/^[a-z][a-z-]{0,59}$/.test(type)) return null;
  if (typeof at !== 'number' || !Number.isFinite(at) || !isRecord(data)) return null;
  if (!Object.values(data).every((one) => typeof one === 'string' || one === null)) return null;
  return {
    id,
    type,
    data: data as Waiting['data'],
    at,
    ...(typeof label === 'string' ? { label } : {}),
    ...(typeof notBefore === 'number' && Number.isFinite(notBefore) ? { notBefore } : {}),
    ...(limited === true ? { limited } : {}),
    ...(isRefusal(refusal) ? { refusal: { code: refusal.code, message: refusal.message } } : {}),
  };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isRefusal = (value: unknown): value is Pick<RefusalBody, 'code' | 'message'> =>
  isRecord(value) && typeof value.code === 'number' && typeof value.message === 'string';

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
