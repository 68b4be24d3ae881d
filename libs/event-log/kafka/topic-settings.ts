/** Settings of the log's topic under which Kafka removes, merges or re-dates what has happened. */

import kafkajs, { type Admin, type Kafka } from 'kafkajs';
import { defineLimit } from '#libs/limits';
import type { Logger } from '#libs/postgres';
import type { TopicSpec } from './set-up.js';

/** Somebody may change them at any time; the loss begins within minutes. */
export const SETTINGS_LOOK_MS = 30_000;
/** A largest micro-batch with its overhead. */
const LEAST_MESSAGE_BYTES = defineLimit({
  name: 'kafka.topic.message.least',
  value: 1_000_000,
  unit: 'bytes',
  beyond: 'a topic that allows less is refused',
});

type Settings = ReadonlyMap<string, string>;

interface Rule {
  readonly setting: string;
  readonly fits: (value: string) => boolean;
  readonly wanted: string;
}

/** Under anything else the log loses events or their times. */
const NOTHING_IS_LOST: readonly Rule[] = [
  { setting: 'retention.ms', fits: (value) => value === '-1', wanted: '-1: nothing may be removed from the log' },
  { setting: 'retention.bytes', fits: (value) => value === '-1', wanted: '-1: nothing may be removed from the log' },
  { setting: 'cleanup.policy', fits: (value) => value === 'delete', wanted: 'delete: a compacted log has lost events' },
  {
    setting: 'message.timestamp.type',
    fits: (value) => value === 'CreateTime',
    wanted: 'CreateTime: an import keeps event times',
  },
];

/** @throws kafkajs errors */
export async function readSettings(admin: Admin, topic: string): Promise<Settings> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic }],
  });
  return new Map(resources[0]?.configEntries.map(({ configName, configValue }) => [configName, configValue]));
}

/** What loses events; empty: nothing does. */
export const lossesOf = (settings: Settings): string[] => complaintsOf(settings, NOTHING_IS_LOST);

/** What whoever runs the cluster must change; empty: all is well. */
export function allComplaintsOf(settings: Settings, spec: TopicSpec): string[] {
  const wanted = `at least ${spec.minInSyncReplicas} (KAFKA_MIN_INSYNC_REPLICAS)`;
  return complaintsOf(settings, [
    ...NOTHING_IS_LOST,
    {
      setting: 'max.message.bytes',
      fits: (value) => Number(value) >= LEAST_MESSAGE_BYTES,
      wanted: `at least ${LEAST_MESSAGE_BYTES}`,
    },
    { setting: 'min.insync.replicas', fits: (value) => Number(value) >= spec.minInSyncReplicas, wanted },
  ]);
}

const complaintsOf = (settings: Settings, rules: readonly Rule[]): string[] =>
  rules.flatMap(({ setting, fits, wanted }) => {
    const value = settings.get(setting);
    return value !== undefined && fits(value) ? [] : [`${setting} is ${value ?? 'unknown'} and must be ${wanted}`];
  });

export interface SettingsWatch {
  /** What loses events, as last seen. */
  alarms(): readonly string[];
  /** Looks now. */
  look(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Looks at the settings from time to time. Where they may not be read that is said once; then a hole of offsets is the only alarm
 * (holes.ts).
 */
export function watchSettings(kafka: Kafka, topic: string, logger: Logger, everyMs = SETTINGS_LOOK_MS): SettingsWatch {
  const admin = kafka.admin();
  let connected: Promise<void> | undefined;
  let alarms: readonly string[] = [];
  let isUnreadable = false;

  const say = (found: readonly string[]) => {
    for (const reason of found) if (!alarms.includes(reason)) logger.error({ topic }, reason);
    if (alarms.length > 0 && found.length === 0) logger.info({ topic }, 'the settings of the topic are right again');
    alarms = found;
  };
  const look = async () => {
    try {
      connected ??= admin.connect();
      await connected;
      say(lossesOf(await readSettings(admin, topic)).map((one) => `topic ${topic}: ${one}`));
      isUnreadable = false;
    } catch (err) {
      connected = undefined;
      if (isUnreadable) return;
      isUnreadable = true;
      logger.warn({ err, topic }, 'the settings of the topic cannot be read: whether it loses events is not known');
    }
  };
  let looking: Promise<void> | undefined;
  const lookOnce = () =>
    (looking ??= look().finally(() => {
      looking = undefined;
    }));
  const timer = setInterval(() => void lookOnce(), everyMs).unref();
  return {
    alarms: () => alarms,
    look: lookOnce,
    async close() {
      clearInterval(timer);
      await looking;
      await admin.disconnect();
    },
  };
}
