/**
 * What somebody wrote and could not be sent yet, kept in this browser: sent under the same id until it has an answer, so that it acts
 * once (I13). What is older than two minutes waits for a "still send?": it may have been meant for a moment that is over.
 */
import { newCommandId } from '#libs/feed-client';
import type { CommandAck } from '#libs/protocol';
import { load, save } from './browser/local-store.js';

export interface Waiting {
  readonly id: string;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** Milliseconds since 1970, by this device. */
  readonly at: number;
}

export const ASK_AFTER_MS = 2 * 60_000;
const KEPT = 50;

export type Send = (waiting: Waiting) => Promise<CommandAck>;

export interface Outbox {
  readonly items: readonly Waiting[];
  isOld(item: Waiting): boolean;
  add(type: string, data: Waiting['data']): void;
  /** Send an old one after all. */
  confirm(id: string): void;
  drop(id: string): void;
  /** Tries everything that may be sent; one at a time, in order. */
  flush(): Promise<void>;
}

export interface OutboxOptions {
  readonly name: string;
  readonly send: Send;
  readonly onAnswer: (item: Waiting, ack: CommandAck) => void;
  readonly onChange: () => void;
  readonly now?: () => number;
}

/** A "try again" is no answer: the item stays. */
const isAnswer = (ack: CommandAck): boolean => !('refusal' in ack) || ack.refusal.code >= 200;

export function createOutbox({ name, send, onAnswer, onChange, now = Date.now }: OutboxOptions): Outbox {
  let items: readonly Waiting[] = read(name);
  let flushing = false;
  const set = (changed: readonly Waiting[]) => {
    items = changed.slice(-KEPT);
    save(name, JSON.stringify(items));
    onChange();
  };
  const isOld = (item: Waiting) => now() - item.at > ASK_AFTER_MS;
  const outbox: Outbox = {
    get items() {
      return items;
    },
    isOld,
    add(type, data) {
      set([...items, { id: newCommandId(), type, data, at: now() }]);
      void outbox.flush();
    },
    confirm(id) {
      set(items.map((item) => (item.id === id ? { ...item, at: now() } : item)));
      void outbox.flush();
    },
    drop: (id) => set(items.filter((item) => item.id !== id)),
    async flush() {
      if (flushing) return;
      flushing = true;
      try {
        for (let next = items.find((item) => !isOld(item)); next; next = items.find((item) => !isOld(item))) {
          const current = next;
          const ack = await send(current);
          if (!isAnswer(ack)) break;
          set(items.filter(({ id }) => id !== current.id));
          onAnswer(current, ack);
        }
      } finally {
        flushing = false;
      }
    },
  };
  return outbox;
}

function read(name: string): readonly Waiting[] {
  try {
    const parsed: unknown = JSON.parse(load(name) ?? '[]');
    return Array.isArray(parsed) ? (parsed as Waiting[]) : [];
  } catch {
    return [];
  }
}
