/** Makes the log's topic, or says what is wrong with the one that is there. Nothing that exists is changed. */

import { setTimeout as wait } from 'node:timers/promises';
import type { Admin } from 'kafkajs';
import { defineLimit } from '#libs/limits';
import type { Logger, Queryable } from '#libs/postgres';
import { LogUnavailable } from '../port.js';
import { createClient, type KafkaConnection } from './client.js';
import { compare, type Pinnable, pin, readPin, renewPin } from './pin.js';
import { beginsOf } from './pinned-topic.js';
import { createTopic, type Topic } from './topic.js';
import type { TopicMetadata } from './topic-metadata.js';
import { allComplaintsOf, readSettings } from './topic-settings.js';

export interface TopicSpec {
  readonly name: string;
  /** Fixed for ever: a key's partition follows from it. */
  readonly partitions: number;
  readonly replicas: number;
  readonly minInSyncReplicas: number;
}

export interface TopicSetUp extends KafkaConnection {
  readonly db: Queryable;
  readonly spec: TopicSpec;
  readonly logger: Logger;
  /** The topic that is there is the log from now on, whatever was pinned before. */
  readonly accept: boolean;
}

export interface SetUpResult {
  readonly made: boolean;
  readonly found: Pinnable;
  /** What must be changed by whoever runs the cluster; empty: all is well. */
  readonly complaints: readonly string[];
}

const LED_WITHIN_MS = 15_000;
const LOOK_MS = 50;
const MAX_MESSAGE_BYTES = defineLimit({
  name: 'kafka.topic.message',
  value: 2 * 1024 * 1024,
  unit: 'bytes',
  beyond: 'the broker refuses the batch',
});

/** @throws LogUnavailable; LogChanged if another topic is pinned and `accept` is false; kafkajs errors of the cluster's rules */
export async function setUpTopic({ db, spec, logger, accept, ...connection }: TopicSetUp): Promise<SetUpResult> {
  const kafka = createClient(connection, logger);
  const admin = kafka.admin();
  const topic = createTopic(kafka, spec.name);
  try {
    const existing = await topic.describe();
    const pinned = accept ? null : await readPin(db, spec.name);
    // A pinned topic that is gone is not made anew behind the operator's back.
    if (pinned) compare(pinned, existing);
    await admin.connect();
    const made = existing ? false : await make(admin, spec);
    const metadata = existing ?? (await led(topic));
    const found = { ...metadata, begins: await beginsOf(topic, metadata.partitions) };
    if (accept) await renewPin(db, spec.name, found);
    await pin(db, spec.name, found);
    return { made, found, complaints: await complaintsAbout(admin, spec, found) };
  } finally {
    await admin.disconnect();
    await topic.close();
  }
}

/** false: somebody else was faster. */
function make(admin: Admin, { name, partitions, replicas, minInSyncReplicas }: TopicSpec): Promise<boolean> {
  const settings = {
    // The log is the truth: nothing is ever removed from it.
    'retention.ms': '-1',
    'retention.bytes': '-1',
    'cleanup.policy': 'delete',
    'max.message.bytes': String(MAX_MESSAGE_BYTES),
    'min.insync.replicas': String(minInSyncReplicas),
    'message.timestamp.type': 'CreateTime',
  };
  const configEntries = Object.entries(settings).map(([setting, value]) => ({ name: setting, value }));
  return admin.createTopics({
    // kafkajs's own wait fails where a broker has not heard of the topic yet.
    waitForLeaders: false,
    topics: [{ topic: name, numPartitions: partitions, replicationFactor: replicas, configEntries }],
  });
}

/** Brokers hear of a new topic, and lead its partitions, a little after it was made. @throws LogUnavailable */
async function led(topic: Topic): Promise<TopicMetadata> {
  const end = performance.now() + LED_WITHIN_MS;
  while (performance.now() < end) {
    const found = await topic.describe();
    if (found?.leaders.every((leader) => leader >= 0)) return found;
    await wait(LOOK_MS);
  }
  throw new LogUnavailable(`the topic ${topic.name} was made, and nobody leads its partitions yet`);
}

async function complaintsAbout(admin: Admin, spec: TopicSpec, found: TopicMetadata): Promise<string[]> {
  const counts =
    found.partitions === spec.partitions
      ? []
      : [`it has ${found.partitions} partitions and ${spec.partitions} were asked for`];
  return [...counts, ...allComplaintsOf(await readSettings(admin, spec.name), spec)];
}
