/**
 * Metadata request, version 10 (KIP-516): kafkajs stops at version 6, which does not tell a topic from a later one of the same
 * name. The topic's id does, even when the new one is empty.
 */
import type { Broker } from 'kafkajs';

const METADATA = 3;
const VERSION = 10;
const UNKNOWN_TOPIC = 3;

export interface TopicMetadata {
  readonly clusterId: string;
  /** 16 bytes, in hex. */
  readonly topicId: string;
  readonly partitions: number;
  /** Broker id of each partition's leader; −1: none. */
  readonly leaders: readonly number[];
}

/** kafkajs's own way of sending; private, hence the exact version. */
interface Sender {
  readonly connectionPool: { send(request: object): Promise<unknown> };
}

/** @returns null if there is no such topic @throws kafkajs errors of the connection; Error on a broker's error code or one older than Kafka 2.8 */
export async function fetchTopicMetadata(broker: Broker, topic: string): Promise<TopicMetadata | null> {
  const answer = await (broker as unknown as Sender).connectionPool.send({
    request: { apiKey: METADATA, apiVersion: VERSION, apiName: 'Metadata', encode: async () => encode(topic) },
    response: { decode: async (raw: Buffer) => ({ topic: decode(raw) }), parse: async (data: unknown) => data },
  });
  return (answer as { readonly topic: TopicMetadata | null }).topic;
}

/** kafkajs asks for an encoder of its own; this is what it uses of one. */
function encode(topic: string): { readonly buf: Buffer; readonly buffer: Buffer } {
  const name = Buffer.from(topic, 'utf8');
  const buffer = Buffer.concat([
    Buffer.from([0]), // Tags of the request header, which kafkajs leaves out: it knows older versions only.
    uvarint(1 + 1), // One topic (lengths are stored plus one):
    Buffer.alloc(16), // its id, unknown;
    uvarint(name.length + 1),
    name,
    Buffer.from([0]), // no tags.
    Buffer.from([0, 0, 0, 0]), // No topic is created, no operations are listed; no tags.
  ]);
  return { buf: buffer, buffer };
}

function uvarint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}

function decode(raw: Buffer): TopicMetadata | null {
  const read = new Reader(raw);
  read.tags();
  read.skip(4); // throttle time
  read.array(() => {
    read.skip(4);
    read.text();
    read.skip(4);
    read.text();
    read.tags();
  });
  const clusterId = read.text() ?? '';
  read.skip(4); // controller
  const [found] = read.array(() => {
    const error = read.int16();
    read.text();
    const topicId = read.bytes(16).toString('hex');
    read.skip(1);
    const leaders = read.array(() => readPartition(read)).toSorted((one, other) => one.partition - other.partition);
    read.skip(4);
    read.tags();
    return { error, topicId, leaders: leaders.map(({ leader }) => leader) };
  });
  if (!found || found.error === UNKNOWN_TOPIC) return null;
  if (found.error !== 0) throw new Error(`the broker says error ${found.error} about the topic`);
  return { clusterId, topicId: found.topicId, partitions: found.leaders.length, leaders: found.leaders };
}

function readPartition(read: Reader): { readonly partition: number; readonly leader: number } {
  read.skip(2);
  const partition = read.int32();
  const leader = read.int32();
  read.skip(4);
  for (let list = 0; list < 3; list++) read.array(() => read.skip(4)); // replicas: all, in sync, offline
  read.tags();
  return { partition, leader };
}

/** Kafka's "flexible" encoding. @throws RangeError beyond the end */
class Reader {
  #at = 0;

  constructor(private readonly raw: Buffer) {}

  skip(bytes: number): void {
    this.#at += bytes;
  }

  int16(): number {
    this.#at += 2;
    return this.raw.readInt16BE(this.#at - 2);
  }

  int32(): number {
    this.#at += 4;
    return this.raw.readInt32BE(this.#at - 4);
  }

  bytes(count: number): Buffer {
    this.#at += count;
    return this.raw.subarray(this.#at - count, this.#at);
  }

  uvarint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.raw.readUInt8(this.#at++);
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    return value >>> 0;
  }

  text(): string | null {
    const length = this.uvarint();
    return length === 0 ? null : this.bytes(length - 1).toString('utf8');
  }

  array<T>(one: () => T): T[] {
    const length = this.uvarint();
    return Array.from({ length: Math.max(length - 1, 0) }, one);
  }

  tags(): void {
    for (let count = this.uvarint(); count > 0; count--) {
      this.uvarint();
      this.skip(this.uvarint());
    }
  }
}
