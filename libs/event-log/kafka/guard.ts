/**
 * kafkajs does not always deliver from where it was told to: a rejoin falls back to the group's offsets, and an offset that is not
 * stored jumps to the log's beginning or end without a word. What was fetched is therefore compared with what was expected.
 */
import type { KafkaMessage } from 'kafkajs';
import type { Watermarks } from '../port.js';
import { unreadableOf } from './fetch-response.js';
import type { Topic } from './topic.js';

export type Verdict =
  | { readonly kind: 'take' }
  /** Read again from the expected offset. */
  | { readonly kind: 'seek' }
  /** The expected offset is not in the log, or cannot be read: nothing may be passed over until an operator decides. */
  | {
      readonly kind: 'halt';
      readonly reason: string;
      /** What was stored will hardly change: it is not claimed again for a while. */
      readonly isUnreadable?: boolean;
    };

/** null: the expected offset is in the log. */
export function outside(partition: number, expected: bigint, { low, high }: Watermarks): string | null {
  if (expected > high)
    return `partition ${partition} ends at ${high}, before the checkpoint ${expected}: it was truncated or is another log`;
  if (expected < low)
    return `partition ${partition} begins at ${low}, after the checkpoint ${expected}: events are missing`;
  return null;
}

/**
 * @param first what was fetched begins with it
 * @throws LogUnavailable
 */
export async function judge(
  topic: Pick<Topic, 'watermarks' | 'read'>,
  partition: number,
  expected: bigint,
  fetched: bigint,
  first?: KafkaMessage,
): Promise<Verdict> {
  const verdict = await place(topic, partition, expected, fetched);
  const unreadable = unreadableOf(first);
  return unreadable && verdict.kind === 'take'
    ? { kind: 'halt', reason: `partition ${partition}: ${unreadable}`, isUnreadable: true }
    : verdict;
}

async function place(
  topic: Pick<Topic, 'watermarks' | 'read'>,
  partition: number,
  expected: bigint,
  fetched: bigint,
): Promise<Verdict> {
  if (fetched === expected) return { kind: 'take' };
  const reason = outside(partition, expected, await topic.watermarks(partition));
  if (reason) return { kind: 'halt', reason };
  if (fetched < expected) return { kind: 'seek' };
  // Ahead: kafkajs itself passes over fetches that hold only hidden records (transaction markers). Anything else would be a loss.
  const { records, nextOffset } = await topic.read(partition, expected, 1);
  const following = records[0]?.offset ?? nextOffset;
  return { kind: following >= fetched ? 'take' : 'seek' };
}
