/**
 * kafkajs decodes the answer to a fetch as a whole: one record batch that cannot be unpacked (garbage, a bomb, an unknown codec) loses
 * what all other partitions sent, and each try, by whichever member, meets it again. Here each batch is decoded by itself, and one that
 * cannot be becomes one message that says so. Rejected: a codec that swallows its errors, for it does not know the batch's offsets.
 * The answer is that of Kafka 2.3 and newer (version 11, the newest kafkajs speaks); from older brokers kafkajs's own decoding stays.
 */

import type { KafkaMessage } from 'kafkajs';
import Decoder from 'kafkajs/src/protocol/decoder.js';
import RecordBatchDecoder from 'kafkajs/src/protocol/recordBatch/v0/decoder.js';
import decodeOldMessages from 'kafkajs/src/protocol/requests/fetch/v4/decodeMessages.js';
import response, {
  type FetchedPartition,
  type FetchedTopic,
  type FetchResponse,
} from 'kafkajs/src/protocol/requests/fetch/v11/response.js';
import { defineLimit } from '#libs/limits';

/** More than any honest batch has (librdkafka: 10,000 by default, we: 500): each becomes an object of some hundred bytes. */
const MAX_RECORDS = defineLimit({
  name: 'kafka.batch.records',
  value: 20_000,
  unit: 'records',
  beyond: 'the batch counts as one that cannot be unpacked',
});
/** Of one answer, unpacked; what does not fit is fetched again. A single batch may go beyond it, up to the codecs' own bound. */
const MAX_UNPACKED = defineLimit({
  name: 'kafka.batch.unpacked',
  value: 64 * 1024 * 1024,
  unit: 'bytes',
  beyond: 'the batch counts as one that cannot be unpacked',
});
const RECORD_OVERHEAD = 128;
/** Of a batch that cannot be unpacked. */
const MAX_KEPT = defineLimit({
  name: 'kafka.dead-letter.batch',
  value: 1024 * 1024,
  unit: 'bytes',
  beyond: 'the dead letter keeps the first bytes',
});
const MAX_REASON = defineLimit({
  name: 'kafka.dead-letter.reason',
  value: 200,
  unit: 'characters',
  beyond: 'the reason is cut',
});

/** Where a record batch (format 2) has what is needed of its header. */
const LENGTH_AT = 8;
const LENGTH_END = 12;
const MAGIC_AT = 16;
const MAGIC = 2;
const ATTRIBUTES_AT = 21;
const TRANSACTIONAL = 0x10;
const LAST_OFFSET_DELTA_AT = 23;
const MAX_TIMESTAMP_AT = 35;
const PRODUCER_ID_AT = 43;
const COUNT_AT = 57;
const HEADER_BYTES = 61;
const SIZE_BYTES = 4;

type Message = KafkaMessage & {
  /** Set here alone: what a producer sends arrives as key, value and headers. */
  readonly unreadable?: string;
};

interface Room {
  bytes: number;
}

/** Why this is no record: it stands for a batch that cannot be unpacked, has the batch's last offset, and the packed bytes as its value. */
export const unreadableOf = (message: KafkaMessage | undefined): string | undefined =>
  (message as Message | undefined)?.unreadable;

/** For all of kafkajs in this process. @throws Error if this kafkajs is not the one this was written for */
export function mendFetchResponses(): void {
  if (typeof response.decode !== 'function') throw new Error('this kafkajs decodes otherwise; it must be 2.2.4');
  response.decode = decode;
}

async function decode(raw: Buffer): Promise<FetchResponse> {
  const decoder = new Decoder(raw);
  const room = { bytes: MAX_UNPACKED };
  const clientSideThrottleTime = decoder.readInt32();
  const errorCode = decoder.readInt16();
  const sessionId = decoder.readInt32();
  const responses = await decoder.readArrayAsync((one) => decodeTopic(one, room));
  // As kafkajs does: the broker has not throttled, it expects this client to wait.
  return { throttleTime: 0, clientSideThrottleTime, errorCode, sessionId, responses };
}

const decodeTopic = async (decoder: Decoder, room: Room): Promise<FetchedTopic> => ({
  topicName: decoder.readString(),
  partitions: await decoder.readArrayAsync((one) => decodePartition(one, room)),
});

const decodePartition = async (decoder: Decoder, room: Room): Promise<FetchedPartition> => ({
  partition: decoder.readInt32(),
  errorCode: decoder.readInt16(),
  highWatermark: decoder.readInt64().toString(),
  lastStableOffset: decoder.readInt64().toString(),
  lastStartOffset: decoder.readInt64().toString(),
  abortedTransactions: decoder.readArray((one) => ({
    producerId: one.readInt64().toString(),
    firstOffset: one.readInt64().toString(),
  })),
  preferredReadReplica: decoder.readInt32(),
  messages: await decodeMessages(decoder, room),
});

async function decodeMessages(decoder: Decoder, room: Room): Promise<readonly Message[]> {
  const isBatch = decoder.canReadBytes(SIZE_BYTES + MAGIC_AT + 1);
  const magic = isBatch ? decoder.buffer.readInt8(decoder.offset + SIZE_BYTES + MAGIC_AT) : MAGIC;
  // What brokers before 0.11 stored.
  if (magic !== MAGIC) return decodeOldMessages(decoder);
  const size = decoder.readInt32();
  return size > 0 && decoder.canReadBytes(size) ? decodeBatches(decoder.readBytes(size), room) : [];
}

async function decodeBatches(set: Buffer, room: Room): Promise<readonly Message[]> {
  const messages: Message[] = [];
  for (let at = 0; at + HEADER_BYTES <= set.length && room.bytes > 0; ) {
    const end = at + LENGTH_END + set.readInt32BE(at + LENGTH_AT);
    // The last one is cut where the answer had no more room.
    if (end > set.length) break;
    if (end < at + HEADER_BYTES) throw new Error('a record batch is shorter than its header');
    const batch = await decodeBatch(set.subarray(at, end));
    // It comes alone: what stands before it is dealt with first, so that whoever must stop there stops exactly there.
    if (unreadableOf(batch[0]) !== undefined) return messages.length === 0 ? batch : messages;
    for (const message of batch) {
      messages.push(message);
      room.bytes -= RECORD_OVERHEAD + (message.key?.length ?? 0) + (message.value?.length ?? 0);
    }
    at = end;
  }
  return messages;
}

async function decodeBatch(batch: Buffer): Promise<readonly Message[]> {
  try {
    const count = batch.readInt32BE(COUNT_AT);
    if (count > MAX_RECORDS) throw new Error(`more than ${MAX_RECORDS} records`);
    return (await RecordBatchDecoder(new Decoder(batch))).records;
  } catch (error) {
    return [unreadable(batch, (error as Error).message)];
  }
}

function unreadable(batch: Buffer, reason: string): Message {
  const first = batch.readBigInt64BE(0);
  const last = first + BigInt(batch.readInt32BE(LAST_OFFSET_DELTA_AT));
  const batchContext = {
    // Both are what hides the records of an aborted transaction.
    inTransaction: (batch.readInt16BE(ATTRIBUTES_AT) & TRANSACTIONAL) !== 0,
    producerId: batch.readBigInt64BE(PRODUCER_ID_AT).toString(),
  };
  const message = {
    offset: last.toString(),
    timestamp: batch.readBigInt64BE(MAX_TIMESTAMP_AT).toString(),
    attributes: 0,
    key: null,
    // A copy: the answer's other bytes need not be held for it.
    value: Buffer.from(batch.subarray(0, MAX_KEPT)),
    headers: {},
    isControlRecord: false,
    batchContext,
    unreadable: `records ${first}–${last} of a batch cannot be unpacked: ${reason.slice(0, MAX_REASON)}`,
  };
  return message;
}
