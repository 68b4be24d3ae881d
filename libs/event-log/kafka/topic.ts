/** Looking at one topic without being in any group: what it is, where it begins and ends, and what stands at an offset. */

import { setTimeout as wait } from 'node:timers/promises';
import type { Cluster, Kafka } from 'kafkajs';
import FetchedBatch from 'kafkajs/src/consumer/batch.js';
import { defineLimit } from '#libs/limits';
import { type LogBatch, type LogRecord, LogUnavailable, type Watermarks } from '../port.js';
import { toLogRecord } from './records.js';
import { fetchTopicMetadata, type TopicMetadata } from './topic-metadata.js';

const READ_BYTES = defineLimit({
  name: 'kafka.read.size',
  value: 1024 * 1024,
  unit: 'bytes',
  beyond: 'the next read takes the rest',
});
const READ_COMMITTED = 1;
/** The generation of one who is in no group. */
const NOBODYS = -1;
const MOVING_TRIES = 20;
const MOVING_MS = 100;

export interface Topic {
  readonly name: string;
  /** null: there is no such topic. @throws LogUnavailable */
  describe(): Promise<TopicMetadata | null>;
  /** @throws LogUnavailable */
  watermarks(partition: number): Promise<Watermarks>;
  /** @throws LogUnavailable; RangeError if `from` is no longer stored */
  read(partition: number, from: bigint, limit: number): Promise<LogBatch>;
  /**
   * Under the name of a group without members; whoever has members refuses it.
   * @throws kafkajs errors; never retried, for the next commit says more
   */
  commit(group: string, next: ReadonlyMap<number, bigint>): Promise<void>;
  close(): Promise<void>;
}

export function createTopic(kafka: Kafka, name: string): Topic {
  return new KafkaTopic(kafka, name);
}

/** What a recreated topic does not share with the old one. @throws LogUnavailable; Error: there is no such topic */
export async function identityOf(kafka: Kafka, name: string): Promise<string> {
  const topic = createTopic(kafka, name);
  try {
    const found = await topic.describe();
    if (!found) throw new Error(`there is no topic ${name}; \`hallway topics\` makes it`);
    return `kafka/${found.clusterId}/${found.topicId}`;
  } finally {
    await topic.close();
  }
}

class KafkaTopic implements Topic {
  #cluster: Promise<Cluster> | undefined;
  #closed = false;
  readonly #marks: () => Promise<ReadonlyMap<number, Watermarks>>;

  constructor(
    private readonly kafka: Kafka,
    readonly name: string,
  ) {
    this.#marks = shared(() => this.#withCluster((cluster) => allWatermarks(cluster, name)));
  }

  describe(): Promise<TopicMetadata | null> {
    return this.#withCluster(async (cluster) => {
      await cluster.refreshMetadataIfNecessary();
      return fetchTopicMetadata(await cluster.findControllerBroker(), this.name);
    });
  }

  async watermarks(partition: number): Promise<Watermarks> {
    const marks = (await this.#marks()).get(partition);
    if (!marks) throw new RangeError(`there is no partition ${partition}`);
    return marks;
  }

  read(partition: number, from: bigint, limit: number): Promise<LogBatch> {
    return this.#withCluster((cluster) => read(cluster, this.name, partition, from, limit));
  }

  async commit(group: string, next: ReadonlyMap<number, bigint>): Promise<void> {
    const coordinator = await (await this.#connected()).findGroupCoordinator({ groupId: group });
    const partitions = [...next].map(([partition, offset]) => ({ partition, offset: String(offset) }));
    const topics = [{ topic: this.name, partitions }];
    await coordinator.offsetCommit({ groupId: group, groupGenerationId: NOBODYS, memberId: '', topics });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#drop();
  }

  /** Nobody would end a connection that is made after the end, and it would keep the process. */
  #connected(): Promise<Cluster> {
    if (this.#closed) throw new LogUnavailable('Kafka is no longer read: this process is about to stop');
    this.#cluster ??= connect(this.kafka);
    return this.#cluster;
  }

  /**
   * A kept connection may have gone stale (a broker came back elsewhere): then once more through a new one. While leaders move, or a
   * topic is just being made, brokers say so, and are asked again for a while.
   */
  async #withCluster<T>(work: (cluster: Cluster) => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      const kept = this.#cluster !== undefined;
      const used = this.#connected();
      try {
        return await work(await used);
      } catch (error) {
        if (error instanceof RangeError) throw error;
        if (this.#cluster === used) await this.#drop();
        const moves = isMoving(error);
        if (attempt >= (moves ? MOVING_TRIES : kept ? 1 : 0))
          throw new LogUnavailable(`Kafka cannot be read: ${(error as Error).message}`, { cause: error });
        if (moves) await wait(MOVING_MS);
      }
    }
  }

  async #drop(): Promise<void> {
    const cluster = this.#cluster;
    this.#cluster = undefined;
    // What failed to connect has nothing to be closed.
    await cluster?.then((connected) => connected.disconnect()).catch(() => undefined);
  }
}

const isMoving = (error: unknown): boolean =>
  error instanceof Error && error.name === 'KafkaJSProtocolError' && 'retriable' in error && error.retriable === true;

/** kafkajs shows its cluster only to those who assign partitions: a consumer that never runs is the way in. */
async function connect(kafka: Kafka): Promise<Cluster> {
  let found: Cluster | undefined;
  kafka.consumer({
    groupId: 'hallway-looks',
    allowAutoTopicCreation: false,
    partitionAssigners: [
      ({ cluster }) => {
        found = cluster;
        return {
          name: 'none',
          version: 0,
          assign: async () => [],
          protocol: () => ({ name: 'none', metadata: Buffer.alloc(0) }),
        };
      },
    ],
  });
  if (!found) throw new Error('this kafkajs does not show its cluster; it must be 2.2.4');
  await found.connect();
  return found;
}

async function allWatermarks(cluster: Cluster, topic: string): Promise<ReadonlyMap<number, Watermarks>> {
  await cluster.addTargetTopic(topic);
  await cluster.refreshMetadataIfNecessary();
  const partitions = cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => ({ partition: partitionId }));
  const ends = async (fromBeginning: boolean) => {
    const [found] = await cluster.fetchTopicsOffset([{ topic, partitions, fromBeginning }]);
    return new Map(found?.partitions.map(({ partition, offset }) => [partition, BigInt(offset)]));
  };
  const [low, high] = await Promise.all([ends(true), ends(false)]);
  return new Map([...high].map(([partition, end]) => [partition, { low: low.get(partition) ?? 0n, high: end }]));
}

async function read(
  cluster: Cluster,
  topic: string,
  partition: number,
  from: bigint,
  limit: number,
): Promise<LogBatch> {
  const records: LogRecord[] = [];
  let next = from;
  let high = 0n;
  let room = READ_BYTES;
  do {
    const batch = await fetchOnce(cluster, topic, partition, next);
    if (typeof batch === 'bigint') {
      high = batch;
      break;
    }
    high = BigInt(batch.highWatermark);
    if (batch.rawMessages.length === 0) break;
    const wanted = batch.messages.slice(0, limit - records.length);
    records.push(...wanted.map(toLogRecord));
    const last = wanted.at(-1);
    next = wanted.length < batch.messages.length && last ? BigInt(last.offset) + 1n : BigInt(batch.lastOffset()) + 1n;
    room -= wanted.reduce((sum, { value }) => sum + 128 + (value?.length ?? 0), 0);
  } while (records.length < limit && next < high && room > 0);
  return { partition, fetchedOffset: from, records, nextOffset: next, highWatermark: high };
}

/** The log's end instead of a batch, if `from` lies beyond it. */
async function fetchOnce(cluster: Cluster, topic: string, partition: number, from: bigint) {
  await cluster.addTargetTopic(topic);
  await cluster.refreshMetadataIfNecessary();
  const [nodeId] = Object.keys(cluster.findLeaderForPartitions(topic, [partition]));
  if (nodeId === undefined) throw new RangeError(`there is no partition ${partition}`);
  const broker = await cluster.findBroker({ nodeId });
  try {
    const { responses } = (await broker.fetch({
      isolationLevel: READ_COMMITTED,
      // What is there now, without waiting for more.
      minBytes: 0,
      maxWaitTime: 0,
      maxBytes: READ_BYTES,
      topics: [{ topic, partitions: [{ partition, fetchOffset: from.toString(), maxBytes: READ_BYTES }] }],
    })) as { readonly responses: readonly { readonly partitions: readonly object[] }[] };
    const data = responses[0]?.partitions[0];
    if (!data) throw new Error('the broker answered nothing');
    return new FetchedBatch(topic, from.toString(), data);
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'KafkaJSOffsetOutOfRange') throw error;
    const marks = (await allWatermarks(cluster, topic)).get(partition);
    if (marks && from > marks.high) return marks.high;
    throw new RangeError(`offset ${from} of partition ${partition} is no longer stored`, { cause: error });
  }
}

/** Calls that come while one runs share the next one, which begins after all of them: what it sees is not older than they are. */
function shared<T>(work: () => Promise<T>): () => Promise<T> {
  let running: Promise<unknown> | undefined;
  let following: Promise<T> | undefined;
  const start = (): Promise<T> => {
    following = undefined;
    const run = work();
    running = run;
    const over = () => {
      if (running === run) running = undefined;
    };
    run.then(over, over);
    return run;
  };
  return () => {
    if (!running) return start();
    following ??= running.then(start, start);
    return following;
  };
}
