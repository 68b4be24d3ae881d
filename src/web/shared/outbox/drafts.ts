/** What somebody is writing, kept in this browser until it is sent or discarded: a reload, Back or a closed form loses nothing. */
import { useEffect, useState } from 'preact/hooks';
import { keysOf, load, remove, save } from '../browser/local-store.js';

interface StoredDraft {
  readonly text: string;
  /** Why the service did not take it; empty: it was not sent yet. */
  readonly reason: string;
  /** Milliseconds since 1970, by this device. */
  readonly at: number;
}

export interface Draft {
  readonly text: string;
  readonly reason: string;
  /** @param reason why the service did not take this text */
  set(text: string, reason?: string): void;
  discard(): void;
}

/** Drafts in one browser; the oldest goes first. */
export const MAX_DRAFTS = 40;
/** Characters of one draft: an update in ten languages has 5,000 and their names. */
export const MAX_DRAFT_CHARACTERS = 8_000;
const EMPTY: StoredDraft = { text: '', reason: '', at: 0 };

/** What this page shows; storage may have no room for it. */
const current = new Map<string, StoredDraft>();
const listeners = new Set<(key: string) => void>();

/** @param name what is written where, e.g. `demo.anna.s1.ask-question` */
export function useDraft(name: string): Draft {
  const key = `draft.${name}`;
  const [, redraw] = useState(0);
  useEffect(() => {
    const hear = (changed: string) => changed === key && redraw((count) => count + 1);
    listeners.add(hear);
    return () => void listeners.delete(hear);
  }, [key]);
  const { text, reason } = readDraft(key);
  return { text, reason, set: (value, why) => setDraft(key, value, why), discard: () => setDraft(key, '') };
}

function setDraft(key: string, text: string, reason = ''): void {
  const changed = { text: text.slice(0, MAX_DRAFT_CHARACTERS), reason, at: Date.now() };
  current.set(key, changed);
  if (text === '') remove(key);
  else saveDraft(key, changed);
  for (const listener of [...listeners]) listener(key);
}

function saveDraft(key: string, draft: StoredDraft): void {
  if (load(key) === undefined) {
    const others = keysOf('draft.').map((other) => ({ other, at: readDraft(other).at }));
    others.sort((a, b) => b.at - a.at);
    for (const { other } of others.slice(MAX_DRAFTS - 1)) remove(other);
  }
  save(key, JSON.stringify(draft));
}

/** Anything else than a draft is none. */
export function readDraft(key: string): StoredDraft {
  const shown = current.get(key);
  if (shown) return shown;
  try {
    const value: unknown = JSON.parse(load(key) ?? 'null');
    if (typeof value !== 'object' || value === null) return EMPTY;
    const { text, reason, at } = value as Record<string, unknown>;
    if (typeof text !== 'string' || text.length > MAX_DRAFT_CHARACTERS) return EMPTY;
    return { text, reason: typeof reason === 'string' ? reason : '', at: typeof at === 'number' ? at : 0 };
  } catch {
    return EMPTY;
  }
}
