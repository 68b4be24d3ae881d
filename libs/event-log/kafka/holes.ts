/**
 * Offsets that are missing in the middle of the log. The markers of transactions have offsets, too, and kafkajs hides them from its
 * consumers, but not from here: whatever else is missing was compacted or deleted.
 */
import type { EachBatchPayload } from 'kafkajs';
import { unreadableOf } from './fetch-response.js';

interface RawMessage {
  readonly offset: string;
}

/** As kafkajs has it; it declares neither. */
type FetchedBatch = EachBatchPayload['batch'] & { readonly rawMessages: readonly RawMessage[] };

/**
 * The first missing offsets of what was fetched, as words; null: it is whole.
 * @param from what was asked for, and is in the log
 */
export function holeIn(batch: EachBatchPayload['batch'], from: bigint): string | null {
  // Offsets of a log fit into a number for longer than it will be kept.
  let next = Number(from);
  for (const message of (batch as FetchedBatch).rawMessages) {
    const offset = Number(message.offset);
    // It stands for a whole batch, and has the offset of that one's last record.
    if (offset > next && unreadableOf(message as never) === undefined)
      return `partition ${batch.partition}: offsets ${next}–${offset - 1} are missing: records were compacted or deleted`;
    if (offset >= next) next = offset + 1;
  }
  return null;
}
