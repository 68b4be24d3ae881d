import { defineLimit } from '#libs/limits';

/** Beyond it a batch gains little and two overlap less. */
const MAX = defineLimit({
  name: 'projection.batch.events',
  value: 500,
  unit: 'events',
  beyond: 'the next transaction takes the rest',
});
const MIN = 50;
/** I9: bytes of records after which a batch ends: 500 commands of the largest kind would exceed what one text can hold. */
export const MAX_BATCH_BYTES = defineLimit({
  name: 'projection.batch.bytes',
  value: 4 * 1024 * 1024,
  unit: 'bytes',
  beyond: 'the batch ends with the command that exceeds it; the rest is the next batch',
});
/**
 * What waits is one batch, whatever came while the last one was written; this only bounds how long that may take. An aim of 50 ms was
 * worse than none: a busy machine needed that long for any batch, took ever smaller ones, and fell behind (bench/latency.mjs).
 */
const AIM_MS = 200;

/** How many events to take at once: as many as commit within 200 ms, between 50 and 500; fewer after failures. */
export class BatchSize {
  readonly bytes = MAX_BATCH_BYTES;
  private size = 200;

  get current(): number {
    return this.size;
  }

  /** So many events took so many milliseconds. Small batches say nothing about larger ones. */
  observe(events: number, ms: number): void {
    if (ms > AIM_MS) this.size = Math.min(this.size, Math.max(MIN, Math.floor(this.size / 2)));
    else if (ms < AIM_MS / 2 && events >= this.size) this.size = Math.min(MAX, Math.ceil(this.size * 1.5));
  }

  /** A batch could not be written: the next ones are smaller, down to one command, so that it shows which one it is. */
  failed(): void {
    this.size = Math.max(1, Math.floor(this.size / 4));
  }
}
