/** Records of a topic that is not the log. */
import type { KafkaMessage } from 'kafkajs';
import { unreadableOf } from './fetch-response.js';

export interface IncomingRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  /** Of the topic: offsets begin anew in another one of its name. */
  readonly logIdentity?: string;
  /** As it came: loosely decoded, two keys could become one. */
  readonly key: Buffer | null;
  /** One value a name. */
  readonly headers: Readonly<Record<string, Buffer>>;
  readonly value: Buffer | null;
  /** This is no record: why a batch, of which this is the last offset and `value` the packed bytes, cannot be unpacked. */
  readonly unreadable?: string;
  /** When it had surely been produced, on this process's monotonic clock (`performance.now()`). */
  readonly readAt?: number;
}

export function toIncoming(topic: string, partition: number, message: KafkaMessage): IncomingRecord {
  const { offset, key, headers = {}, value } = message;
  const unreadable = unreadableOf(message);
  const given = Object.entries(headers).flatMap(([name, one]): [string, Buffer][] => {
    const first = Array.isArray(one) ? one[0] : one;
    // A header without a value is as good as none.
    return first === undefined || first === null ? [] : [[name, Buffer.from(first)]];
  });
  return {
    topic,
    partition,
    offset: BigInt(offset),
    key,
    headers: Object.fromEntries(given),
    value,
    ...(unreadable === undefined ? {} : { unreadable }),
  };
}
