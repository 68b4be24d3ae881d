/**
 * What somebody did and could not be sent yet, kept in this browser: sent under the same id until it has an answer, so that it acts
 * once (I13). What is older than two minutes waits for a "still send?": it may have been meant for a moment that is over.
 *
 * A refusal 1xx is no answer: the item waits, as long as the service says. After a refusal 2xx or 3xx a text goes back to its author.
 */
import { newCommandId } from '#libs/feed-client';
import type { CommandAck, RefusalBody } from '#libs/protocol';
import { onOtherTab } from '../browser/local-store.js';
import { senderLease } from './sender-lease.js';
import { MAX_OUTBOX_ITEMS, storedItems, type Waiting } from './stored-items.js';

export const ASK_AFTER_MS = 2 * 60_000;
/** After a connection that gave no answer, doubled each time. */
const RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;
/** The service never asks for more. */
const MAX_WAIT_MS = 10 * 60_000;
const RATE_LIMITED = 106;

export type Send = (waiting: Waiting) => Promise<CommandAck>;

export interface Outbox {
  /** Oldest first. */
  readonly items: readonly Waiting[];
  /** Id of the item that is on its way. */
  readonly sending: string | undefined;
  isOld(item: Waiting): boolean;
  /** @returns whether there was room for it */
  add(type: string, data: Waiting['data'], label?: string): boolean;
  /** Keeps a text that is not to be sent. */
  setAside(type: string, data: Waiting['data']): boolean;
  /** Send an old one after all. */
  confirm(id: string): void;
  drop(id: string): void;
  /** Sends everything that may be sent; one at a time, in order. */
  flush(): Promise<void>;
  close(): void;
}

export interface OutboxOptions {
  readonly name: string;
  readonly send: Send;
  /** There is a connection: without one nothing is tried. */
  readonly canSend: () => boolean;
  readonly onAnswer: (item: Waiting, ack: CommandAck) => void;
  readonly onChange: () => void;
  /** Entries that could not be read were dropped. */
  readonly onDropped: (count: number) => void;
  /** Milliseconds since 1970, by this device. */
  readonly now?: () => number;
}

/** Two items about the same thing keep their order. */
const targetOf = ({ data }: Waiting): string | null => data.question ?? null;

/** Whether the service asked to wait, and for how long is credible: a device's clock may have been set back meanwhile. */
export const waits = ({ notBefore, refusal }: Waiting, now: number): boolean =>
  !refusal && notBefore !== undefined && notBefore > now && notBefore - now <= MAX_WAIT_MS;

export const createOutbox = (options: OutboxOptions): Outbox => new StoredOutbox(options);

class StoredOutbox implements Outbox {
  items: readonly Waiting[] = [];
  sending: string | undefined;
  private readonly store;
  private readonly lease;
  private readonly now: () => number;
  private readonly stopListening: () => void;
  private readonly failures = new Map<string, number>();
  private flushing: Promise<void> | undefined;
  private closed = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly options: OutboxOptions) {
    this.now = options.now ?? Date.now;
    this.store = storedItems(options.name);
    this.lease = senderLease(options.name, this.now);
    this.items = this.store.read();
    const forgetItems = onOtherTab(`outbox.${options.name}.`, () => this.refresh());
    const forgetLease = onOtherTab(`sender.${options.name}`, () => this.flushIn(0));
    this.stopListening = () => {
      forgetItems();
      forgetLease();
    };
    this.tellDropped();
  }

  isOld(item: Waiting): boolean {
    return this.now() - Math.max(item.at, item.notBefore ?? 0) > ASK_AFTER_MS;
  }

  add(type: string, data: Waiting['data'], label?: string): boolean {
    const added = this.insert({ id: newCommandId(), type, data, at: this.now(), ...(label ? { label } : {}) });
    if (added) void this.flush();
    return added;
  }

  setAside(type: string, data: Waiting['data']): boolean {
    return this.insert({ id: newCommandId(), type, data, at: this.now(), refusal: { code: 0, message: '' } });
  }

  confirm(id: string): void {
    const item = this.items.find((one) => one.id === id);
    if (item) this.store.write({ ...item, at: this.now() });
    this.refresh();
    void this.flush();
  }

  drop(id: string): void {
    this.store.delete(id);
    this.refresh();
  }

  flush(): Promise<void> {
    if (this.closed || (!this.flushing && !this.next(new Set()))) return Promise.resolve();
    this.flushing ??= this.sendInTurn().finally(() => (this.flushing = undefined));
    return this.flushing;
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    this.stopListening();
  }

  private async sendInTurn(): Promise<void> {
    let wait = 0;
    try {
      wait = await this.lease.acquire();
      if (wait === 0) await this.sendAll();
    } finally {
      if (wait === 0) this.lease.release();
      this.plan(wait);
    }
  }

  private async sendAll(): Promise<void> {
    const tried = new Set<string>();
    this.refresh();
    for (let item = this.next(tried); item; item = this.next(tried)) {
      tried.add(item.id);
      this.lease.renew();
      this.sending = item.id;
      this.options.onChange();
      const ack = await this.options.send(item);
      this.sending = undefined;
      if (this.closed) return;
      this.settle(item, ack);
    }
  }

  /** What may be sent now. */
  private next(tried: ReadonlySet<string>): Waiting | undefined {
    if (!this.options.canSend()) return undefined;
    const waiting = this.items.filter(({ refusal }) => !refusal);
    const now = this.now();
    return waiting.find(
      (item, index) =>
        !tried.has(item.id) &&
        !this.isOld(item) &&
        !waits(item, now) &&
        !waiting.slice(0, index).some((other) => targetOf(other) !== null && targetOf(other) === targetOf(item)),
    );
  }

  private settle(item: Waiting, ack: CommandAck): void {
    const dropped = !this.store.read().some(({ id }) => id === item.id);
    if (dropped) this.failures.delete(item.id);
    else if ('refusal' in ack && ack.refusal.code < 200) this.postpone(item, ack.refusal);
    else if ('refusal' in ack && item.data.text)
      this.store.write({ ...item, refusal: { code: ack.refusal.code, message: ack.refusal.message.slice(0, 500) } });
    else this.store.delete(item.id);
    if (!('refusal' in ack) || ack.refusal.code >= 200) {
      this.failures.delete(item.id);
      this.options.onAnswer(item, ack);
    }
    this.refresh();
  }

  private postpone(item: Waiting, { code, retryAfter }: RefusalBody): void {
    const failures = this.failures.get(item.id) ?? 0;
    this.failures.set(item.id, failures + 1);
    const wait = retryAfter ?? Math.min(MAX_RETRY_MS, RETRY_MS * 2 ** failures);
    // Without a connection nothing has been tried: it goes as soon as there is one.
    if (retryAfter === undefined && !this.options.canSend()) return;
    for (const other of this.items) {
      const same = other.id === item.id || (code === RATE_LIMITED && other.type === item.type && !other.refusal);
      if (same) this.store.write({ ...other, notBefore: this.now() + wait, limited: code === RATE_LIMITED });
    }
  }

  private insert(item: Waiting): boolean {
    if (this.store.read().length >= MAX_OUTBOX_ITEMS) return false;
    this.store.write(item);
    this.refresh();
    return true;
  }

  private refresh(): void {
    this.items = this.store.read();
    this.tellDropped();
    this.options.onChange();
  }

  private tellDropped(): void {
    const dropped = this.store.takeDropped();
    if (dropped > 0) this.options.onDropped(dropped);
  }

  /** The next moment at which something may be sent. */
  private plan(leaseWait: number): void {
    const now = this.now();
    const due = this.items.flatMap((item) => (waits(item, now) ? [(item.notBefore ?? now) - now] : []));
    if (leaseWait > 0) due.push(leaseWait);
    // Added while the last one was on its way.
    else if (this.next(new Set())) due.push(0);
    if (due.length > 0) this.flushIn(Math.min(...due));
  }

  private flushIn(ms: number): void {
    clearTimeout(this.timer);
    if (!this.closed) this.timer = setTimeout(() => void this.flush(), Math.min(ms, MAX_RETRY_MS) + 1);
  }
}
