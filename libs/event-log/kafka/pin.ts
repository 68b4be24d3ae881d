/** The topic that this database belongs to: written at the first start, compared ever after, renewed only by an operator. */
import type { Queryable } from '#libs/postgres';
import { LogChanged } from '../port.js';
import type { TopicMetadata } from './topic-metadata.js';

export interface Pin {
  readonly topic: string;
  readonly clusterId: string;
  readonly topicId: string;
  readonly partitions: number;
  /** First offset of each partition when it was pinned: what lay before is known to be gone, and no alarm. */
  readonly begins: readonly bigint[];
  /** Counts the operator's decisions. */
  readonly incarnation: number;
  /** Begins the names of this installation's consumer groups: two installations may read one topic. */
  readonly groupPrefix: string;
}

const COLUMNS =
  'topic, cluster_id as "clusterId", topic_id as "topicId", partitions, begins, incarnation, group_prefix as "groupPrefix"';

export interface Pinnable extends TopicMetadata {
  readonly begins: readonly bigint[];
}

/** null before the first start with Kafka. */
export async function readPin(db: Queryable, topic: string): Promise<Pin | null> {
  const { rows } = await db.query<Omit<Pin, 'begins'> & { begins: readonly string[] }>(
    `select ${COLUMNS} from pinned_topic where topic = $1`,
    [topic],
  );
  const [row] = rows;
  return row ? { ...row, begins: row.begins.map(BigInt) } : null;
}

/**
 * Pins the topic if none of this name is, and compares.
 * @throws LogChanged
 */
export async function pin(db: Queryable, topic: string, found: Pinnable): Promise<Pin> {
  await db.query(
    'insert into pinned_topic (topic, cluster_id, topic_id, partitions, begins) values ($1, $2, $3, $4, $5) on conflict do nothing',
    [topic, found.clusterId, found.topicId, found.partitions, found.begins.map(String)],
  );
  const pinned = await readPin(db, topic);
  if (!pinned) throw new Error('the pinned topic has just been removed');
  compare(pinned, found);
  return pinned;
}

/**
 * @param toRead  more partitions than were pinned are no obstacle: every event lies in one of the pinned
 * @throws LogChanged
 */
export function compare(pinned: Pin, found: TopicMetadata | null, toRead = false): void {
  const { topic } = pinned;
  const wayOut = 'Nothing was changed. docs/operations.md, "The topic changed", has the ways out';
  if (!found)
    throw new LogChanged(
      `201 the topic ${topic} is gone, or this is another Kafka cluster than the one that was folded. ${wayOut}`,
    );
  if (found.clusterId !== pinned.clusterId)
    throw new LogChanged(
      `201 this is another Kafka cluster (${found.clusterId}) than the one that was folded (${pinned.clusterId}). ${wayOut}`,
    );
  if (found.topicId !== pinned.topicId)
    throw new LogChanged(
      `201 the topic ${topic} is another one than the one that was folded: it was recreated. ${wayOut}`,
    );
  if (toRead ? found.partitions < pinned.partitions : found.partitions !== pinned.partitions)
    throw new LogChanged(
      `201 the topic ${topic} has ${found.partitions} partitions and was pinned with ${pinned.partitions}: conferences would change their partition. ${wayOut}`,
    );
}

/**
 * An operator says that what is there now is the log: read models are built anew from it (another identity, another epoch).
 * @throws LogChanged: the same topic with another number of partitions. A conference's events would lie in two of them, in no order
 */
export async function renewPin(db: Queryable, topic: string, found: Pinnable): Promise<void> {
  const pinned = await readPin(db, topic);
  if (pinned?.topicId === found.topicId) compare(pinned, found);
  await db.query(
    `insert into pinned_topic as pinned (topic, cluster_id, topic_id, partitions, begins) values ($1, $2, $3, $4, $5)
     on conflict (topic) do update set cluster_id = $2, topic_id = $3, partitions = $4, begins = $5,
       incarnation = pinned.incarnation + 1, pinned_at = clock_timestamp()`,
    [topic, found.clusterId, found.topicId, found.partitions, found.begins.map(String)],
  );
}
