/** Records that this process has just appended and committed, for its own reader: they need not be read from the log again (S17). */
import { defineLimit } from '#libs/limits';
import type { LogBatch, LogRecord } from './port.js';

/** Bytes kept for a reader that is busy; beyond them it reads the log instead (I9). */
export const MAX_HANDED_BYTES = defineLimit({
  name: 'log.handed',
  value: 4 * 1024 * 1024,
  unit: 'bytes',
  beyond: 'per partition of the embedded log: read from the log instead',
});

export class Inbox {
  #records: LogRecord[] = [];
  #bytes = 0;
  #isOpen = false;

  constructor(private readonly partition: number) {}

  /** Nothing is kept for a partition that is not read here. */
  open(): void {
    this.#isOpen = true;
  }

  close(): void {
    this.#isOpen = false;
    this.#clear();
  }

  /** Committed records, one after the other. @returns false: too many wait, they are to be read from the log */
  hand(records: readonly LogRecord[]): boolean {
    if (!this.#isOpen) return true;
    const last = this.#records.at(-1);
    // Another process has appended in between: what lies after the gap is kept, for the log is read up to it.
    if (last && records[0]?.offset !== last.offset + 1n) this.#clear();
    for (const record of records) this.#bytes += sizeOf(record);
    if (this.#bytes <= MAX_HANDED_BYTES) this.#records.push(...records);
    else this.#clear();
    return this.#records.length > 0;
  }

  /** Between `next` and the first record kept lies what others have appended. */
  isAheadOf(next: bigint): boolean {
    const first = this.#records[0];
    return first !== undefined && first.offset > next;
  }

  /** The records from `next` on, if they were handed over without a gap. */
  take(next: bigint, limit: number): LogBatch | undefined {
    const first = this.#records[0];
    if (!first) return undefined;
    // Records that were read from the log meanwhile, too.
    const known = next - first.offset;
    if (known < 0n) return undefined;
    const records = this.#records.slice(Number(known));
    this.#clear();
    if (records.length === 0) return undefined;
    const taken = records.slice(0, limit);
    this.hand(records.slice(limit));
    return {
      partition: this.partition,
      fetchedOffset: next,
      records: taken,
      nextOffset: next + BigInt(taken.length),
      highWatermark: next + BigInt(records.length),
    };
  }

  #clear(): void {
    this.#records = [];
    this.#bytes = 0;
  }
}

/** A record and its headers in memory, roughly. */
export function sizeOf({ headers, value }: Pick<LogRecord, 'headers' | 'value'>): number {
  let bytes = value?.length ?? 0;
  for (const [name, header] of headers) bytes += name.length + header.length;
  return bytes;
}
