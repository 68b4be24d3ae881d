/** Which conferences there are. */
import { performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import type { FeedReader, Listing } from './reader.js';

const FRESH_MS = 1_000;
const LOOK_MS = 20;

/** Names nobody knows cost at most one statement a second, however many are tried; and one at a time, where somebody waits for one. */
export class Names {
  #list: Listing | undefined;
  #listing: Promise<Listing> | undefined;

  constructor(private readonly reader: FeedReader) {}

  /** At most a second old. @throws as `FeedReader.conferences` */
  async all(): Promise<ReadonlySet<string>> {
    if (this.#list && performance.now() - this.#list.sentAt < FRESH_MS) return this.#list.names;
    return (await this.#read()).names;
  }

  /**
   * Waits until it is there, or cannot have been made before `since` (`performance.now()`), for all that came before is folded.
   * @returns false if neither can be said in time @throws as `FeedReader.conferences`
   */
  async settled(conference: string, since: number, withinMs: number): Promise<boolean> {
    for (const end = performance.now() + withinMs; ; await wait(LOOK_MS)) {
      const list = this.#list && this.#list.sentAt >= since ? this.#list : await this.#read();
      if (list.names.has(conference) || list.foldedUntil(conference) >= since) return true;
      if (performance.now() >= end) return false;
      if (this.#list === list) this.#list = undefined;
    }
  }

  #read(): Promise<Listing> {
    this.#listing ??= this.reader
      .conferences()
      .then((list) => {
        this.#list = list;
        return list;
      })
      .finally(() => {
        this.#listing = undefined;
      });
    return this.#listing;
  }
}
