/** The topic that this database belongs to: written at the first start, compared ever after, renewed only by an operator. */
import type { Queryable } from '#libs/postgres';
import { LogChanged } from '../port.js';
import type { TopicMetadata } from './topic-metadata.js';

export interface Pin {
  readonly topic: string;
  readonly clusterId: string;
  readonly topicId: string;
  readonly partitions: number;
  /** Begins the names of this installation's consumer groups: two installations may read one topic. */
  readonly groupPrefix: string;
}

const COLUMNS = 'topic, cluster_id as "clusterId", topic_id as "topicId", partitions, group_prefix as "groupPrefix"';

/** null before the first start with Kafka. */
export async function readPin(db: Queryable, topic: string): Promise<Pin | null> {
  const { rows } = await db.query<Pin>(`select ${COLUMNS} from pinned_topic where topic = $1`, [topic]);
  return rows[0] ?? null;
}

/**
 * Pins the topic if none of this name is, and compares.
 * @throws LogChanged
 */
export async function pin(db: Queryable, topic: string, found: TopicMetadata): Promise<Pin> {
  await db.query(
    'insert into pinned_topic (topic, cluster_id, topic_id, partitions) values ($1, $2, $3, $4) on conflict do nothing',
    [topic, found.clusterId, found.topicId, found.partitions],
  );
  const pinned = await readPin(db, topic);
  if (!pinned) throw new Error('the pinned topic has just been removed');
  compare(pinned, found);
  return pinned;
}

/** @throws LogChanged */
export function compare(pinned: Pin, found: TopicMetadata | null): void {
  const { topic } = pinned;
  const wayOut = 'Nothing was changed. docs/operations.md, "The topic changed", has the ways out';
  if (!found) throw new LogChanged(`201 the topic ${topic} is gone. ${wayOut}`);
  if (found.clusterId !== pinned.clusterId)
    throw new LogChanged(
      `201 this is another Kafka cluster (${found.clusterId}) than the one that was folded (${pinned.clusterId}). ${wayOut}`,
    );
  if (found.topicId !== pinned.topicId)
    throw new LogChanged(
      `201 the topic ${topic} is another one than the one that was folded: it was recreated. ${wayOut}`,
    );
  if (found.partitions !== pinned.partitions)
    throw new LogChanged(
      `201 the topic ${topic} has ${found.partitions} partitions and was pinned with ${pinned.partitions}: conferences would change their partition. ${wayOut}`,
    );
}

/** An operator says that this topic is now the log: read models are built anew from it (another identity, another epoch). */
export async function renewPin(db: Queryable, topic: string, found: TopicMetadata): Promise<void> {
  await db.query(
    `insert into pinned_topic (topic, cluster_id, topic_id, partitions) values ($1, $2, $3, $4)
     on conflict (topic) do update set cluster_id = $2, topic_id = $3, partitions = $4, pinned_at = clock_timestamp()`,
    [topic, found.clusterId, found.topicId, found.partitions],
  );
}
