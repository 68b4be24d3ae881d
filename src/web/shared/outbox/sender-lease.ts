/**
 * One tab sends at a time. Web Locks do not exist on plain http, so it is a lease in the browser's storage: written, and read again after
 * the other tabs have had time to write theirs. Should two tabs send all the same, the id of the command makes it act once (I13).
 */
import { newCommandId } from '#libs/feed-client';
import { load, remove, save } from '../browser/local-store.js';

/** Longer than one attempt to send. */
export const SENDER_LEASE_MS = 15_000;
const SETTLE_MS = 60;

export interface SenderLease {
  /** @returns 0: this tab may send; else the milliseconds after which to ask again */
  acquire(): Promise<number>;
  renew(): void;
  release(): void;
}

export function senderLease(name: string, now: () => number): SenderLease {
  const key = `sender.${name}`;
  const tab = newCommandId();
  const write = () => void save(key, `${now() + SENDER_LEASE_MS} ${tab}`);
  /** Milliseconds that another tab still has; a time further away than a lease lasts was written by another clock. */
  const others = (): number => {
    const [until = '', owner] = (load(key) ?? '').split(' ');
    const left = Number(until) - now();
    return owner !== undefined && owner !== tab && left > 0 && left <= SENDER_LEASE_MS ? left : 0;
  };
  return {
    async acquire() {
      const left = others();
      if (left > 0) return left;
      write();
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
      return others();
    },
    renew: write,
    release() {
      if (others() === 0) remove(key);
    },
  };
}
