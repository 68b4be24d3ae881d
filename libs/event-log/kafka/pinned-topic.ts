/**
 * The topic as an operator pinned it. What was gone by then is a hole at its beginning: a build from offset 0 passes over it, while
 * anything that goes missing later is an alarm.
 */
import type { Topic } from './topic.js';

export interface PinnedTopic extends Topic {
  /** Where to fetch from for an offset that may lie in that hole. */
  physical(partition: number, offset: bigint): bigint;
}

export function pinnedFrom(topic: Topic, begins: readonly bigint[]): PinnedTopic {
  const physical = (partition: number, offset: bigint): bigint => {
    const begin = begins[partition] ?? 0n;
    return offset < begin ? begin : offset;
  };
  return {
    name: topic.name,
    physical,
    describe: () => topic.describe(),
    async watermarks(partition) {
      const { low, high } = await topic.watermarks(partition);
      return { low: low <= (begins[partition] ?? 0n) ? 0n : low, high };
    },
    async read(partition, from, limit) {
      const batch = await topic.read(partition, physical(partition, from), limit);
      return { ...batch, fetchedOffset: from };
    },
    commit: (group, next) => topic.commit(group, next),
    close: () => topic.close(),
  };
}

/** @throws LogUnavailable */
export const beginsOf = (topic: Topic, partitions: number): Promise<readonly bigint[]> =>
  Promise.all(Array.from({ length: partitions }, async (_, partition) => (await topic.watermarks(partition)).low));
