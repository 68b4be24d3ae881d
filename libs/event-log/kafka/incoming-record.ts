/** Records of a topic that is not the log. */
import type { KafkaMessage } from 'kafkajs';
import { unreadableOf } from './fetch-response.js';

export interface IncomingRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  /** Of the topic: offsets begin anew in another one of its name. */
  readonly logIdentity?: string;
  readonly key: string | null;
  /** One value a name, as text. */
  readonly headers: Readonly<Record<string, string>>;
  readonly value: Buffer | null;
  /** This is no record: why a batch, of which this is the last offset and `value` the packed bytes, cannot be unpacked. */
  readonly unreadable?: string;
  /** When it had surely been produced, on this process's monotonic clock (`performance.now()`). */
  readonly readAt?: number;
}

export function toIncoming(topic: string, partition: number, message: KafkaMessage): IncomingRecord {
  const { offset, key, headers = {}, value } = message;
  const unreadable = unreadableOf(message);
  const given = Object.entries(headers).flatMap(([name, one]): [string, string][] => {
    const first = Array.isArray(one) ? one[0] : one;
    // A header without a value is as good as none.
    return first === undefined || first === null ? [] : [[name, String(first)]];
  });
  return {
    topic,
    partition,
    offset: BigInt(offset),
    key: key?.toString() ?? null,
    headers: Object.fromEntries(given),
    value,
    ...(unreadable === undefined ? {} : { unreadable }),
  };
}
