/**
 * The log on Apache Kafka: one topic, key = conference, as many partitions as it was pinned with. Any number of processes share
 * it; the checkpoint in Postgres decides what was folded, never Kafka's own offsets.
 */
import type { Logger, Queryable } from '#libs/postgres';
import type { Lane } from '../lanes.js';
import { partitionOf } from '../partition.js';
import {
  type EventLog,
  LogChanged,
  type LogSubscription,
  LogUnavailable,
  type PartitionConsumer,
  type RecordToAppend,
} from '../port.js';
import { createClient, type KafkaConnection } from './client.js';
import { deleteGroups } from './delete-groups.js';
import type { Timing } from './member.js';
import { compare, type Pin, pin, readPin } from './pin.js';
import { beginsOf, type PinnedTopic, pinnedFrom } from './pinned-topic.js';
import { type Appender, createAppender } from './producer.js';
import { setUpTopic, type TopicSpec } from './set-up.js';
import { superviseMember } from './subscription.js';
import { createTopic, type Topic } from './topic.js';
import { type SettingsWatch, watchSettings } from './topic-settings.js';

export interface KafkaLogOptions extends KafkaConnection {
  /** Where the topic's identity and number of partitions are pinned. */
  readonly db: Queryable;
  readonly topic: string;
  readonly logger: Logger;
  /** Make this topic if none of its name is there and none was ever pinned. */
  readonly make?: TopicSpec;
  /** Nothing will be appended or followed: partitions that were added are no obstacle. */
  readonly toRead?: boolean;
  /** Partitions of one process that are delivered at the same time; default 4. */
  readonly partitionsAtOnce?: number;
  /** Default: session 6 s, heartbeat 1.5 s. */
  readonly timing?: Timing;
  /** How often the settings of the topic are looked at; default 30 s. */
  readonly settingsLookMs?: number;
  /** Milliseconds after which an append is given up; default 8 s. */
  readonly giveUpMs?: number;
}

const TIMING: Timing = { sessionMs: 6_000, heartbeatMs: 1_500 };
const PARTITIONS_AT_ONCE = 4;

/**
 * Needs Kafka at the very first start only: later the number of partitions is known from the pin, and what needs Kafka waits for it.
 * @throws LogChanged: another topic than the pinned one, or none. LogUnavailable: nothing is pinned and Kafka cannot be reached
 */
export async function createKafkaLog(options: KafkaLogOptions): Promise<EventLog> {
  const kafka = createClient(options, options.logger);
  const topic = createTopic(kafka, options.topic);
  try {
    const pinned = await pinAtStart(options, topic);
    const fromPin = pinnedFrom(topic, pinned.begins);
    const verify = async () => compare(pinned, await topic.describe());
    const settings = watchSettings(kafka, topic.name, options.logger, options.settingsLookMs);
    if (!options.toRead) await refuseLosses(settings, topic.name);
    const { giveUpMs } = options;
    const appender = createAppender({
      kafka,
      topic: topic.name,
      verify,
      logger: options.logger,
      ...(giveUpMs === undefined ? {} : { giveUpMs }),
    });
    const forget = (groups: readonly string[]) => deleteGroups(kafka.admin(), groups);
    return new KafkaLog({ pinned, topic: fromPin, appender, settings, forget }, (consumer, group) =>
      superviseMember({
        kafka,
        topic: fromPin,
        consumer,
        verify,
        group: `${pinned.groupPrefix}-${group}`,
        logger: options.logger,
        timing: options.timing ?? TIMING,
        partitionsAtOnce: options.partitionsAtOnce ?? PARTITIONS_AT_ONCE,
      }),
    );
  } catch (error) {
    await topic.close();
    throw error;
  }
}

async function pinAtStart(options: KafkaLogOptions, topic: Topic): Promise<Pin> {
  const { db, logger, make } = options;
  const known = await readPin(db, topic.name);
  try {
    const found = await topic.describe();
    if (known && options.toRead) {
      compare(known, found, true);
      return known;
    }
    if (found) return await pin(db, topic.name, { ...found, begins: await beginsOf(topic, found.partitions) });
    if (known) compare(known, found);
    if (make) return await pin(db, topic.name, (await setUpTopic({ ...options, spec: make, accept: false })).found);
    throw new LogChanged(`201 there is no topic ${topic.name}; \`hallway topics\` makes it`);
  } catch (error) {
    if (!(error instanceof LogUnavailable) || !known) throw error;
    logger.warn({ err: error }, 'Kafka cannot be reached; what needs it waits for it');
    return known;
  }
}

/** @throws LogChanged */
async function refuseLosses(settings: SettingsWatch, topic: string): Promise<void> {
  await settings.look();
  if (settings.alarms().length === 0) return;
  await settings.close();
  throw new LogChanged(
    `201 ${topic} loses events as it is set: ${settings.alarms().join('; ')}. docs/operations.md, "The topic loses events"`,
  );
}

interface Parts {
  readonly pinned: Pin;
  readonly topic: PinnedTopic;
  readonly appender: Appender;
  readonly settings: SettingsWatch;
  readonly forget: (groups: readonly string[]) => Promise<void>;
}

class KafkaLog implements EventLog {
  readonly partitions: number;
  readonly #subscriptions = new Set<LogSubscription>();

  constructor(
    private readonly parts: Parts,
    private readonly supervise: (consumer: PartitionConsumer, group: string) => LogSubscription,
  ) {
    this.partitions = parts.pinned.partitions;
  }

  async identity(): Promise<string> {
    const { clusterId, topicId, incarnation } = this.parts.pinned;
    return `kafka/${clusterId}/${topicId}/${incarnation}`;
  }

  append(key: string, records: readonly RecordToAppend[], lane?: Lane) {
    return this.parts.appender.append(key, partitionOf(key, this.partitions), records, lane);
  }

  read(partition: number, from: bigint, limit: number) {
    return this.parts.topic.read(partition, from, limit);
  }

  watermarks(partition: number) {
    return this.parts.topic.watermarks(partition);
  }

  subscribe(consumer: PartitionConsumer, group: string): LogSubscription {
    const subscription = this.supervise(consumer, group);
    const alarms = () => this.alarms();
    this.#subscriptions.add(subscription);
    return {
      status() {
        const status = subscription.status();
        return { ...status, alarms: [...status.alarms, ...alarms()] };
      },
      close: () => subscription.close(),
    };
  }

  alarms(): readonly string[] {
    return this.parts.settings.alarms();
  }

  forgetReaders(groups: readonly string[]): Promise<void> {
    const { pinned, forget } = this.parts;
    return forget(groups.map((group) => `${pinned.groupPrefix}-${group}`));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#subscriptions].map((subscription) => subscription.close()));
    await this.parts.settings.close();
    await this.parts.appender.close();
    await this.parts.topic.close();
  }
}
