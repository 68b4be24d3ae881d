/** Partition of a key exactly as Kafka's default partitioner computes it, so that a conference keeps its partition between logs. */

const SEED = 0x9747b28c;
const M = 0x5bd1e995;

/** murmur2, 32 bit, as in org.apache.kafka.common.utils.Utils; signed. */
export function murmur2(data: Uint8Array): number {
  const length = data.length;
  let h = SEED ^ length;
  const whole = length & ~3;
  for (let i = 0; i < whole; i += 4) {
    let k = byte(data, i) | (byte(data, i + 1) << 8) | (byte(data, i + 2) << 16) | (byte(data, i + 3) << 24);
    k = Math.imul(k, M);
    k ^= k >>> 24;
    k = Math.imul(k, M);
    h = Math.imul(h, M) ^ k;
  }
  const rest = length - whole;
  if (rest >= 3) h ^= byte(data, whole + 2) << 16;
  if (rest >= 2) h ^= byte(data, whole + 1) << 8;
  if (rest >= 1) h = Math.imul(h ^ byte(data, whole), M);
  h ^= h >>> 13;
  h = Math.imul(h, M);
  return h ^ (h >>> 15);
}

const byte = (data: Uint8Array, at: number): number => data[at] ?? 0;

export function partitionOf(key: string, partitions: number): number {
  return (murmur2(Buffer.from(key, 'utf8')) & 0x7fffffff) % partitions;
}

/**
 * Versions are offsets, and documents are indexed by `version >> 8` (D12): few enough versions in one bucket to look at, enough for most
 * updates of a busy document to stay in theirs.
 */
export const VERSION_BUCKET_BITS = 8;
