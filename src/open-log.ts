/** Which log this process stands on: Kafka if it is configured, else the embedded one. */
import { readFileSync } from 'node:fs';
import {
  createKafkaLog,
  createPostgresLog,
  type EventLog,
  type KafkaConnection,
  LOG_CHANNEL,
  logHints,
  type TopicSpec,
} from '#libs/event-log';
import { type createPool, type Logger, listen, notifier } from '#libs/postgres';
import type { Closers } from './closers.js';
import { type Config, ConfigError } from './config.js';

interface LogParts {
  readonly config: Config;
  readonly url: string;
  readonly pool: ReturnType<typeof createPool>;
  /** Gets what is opened here. */
  readonly closers: Closers;
  readonly logger: Logger;
  /** Nothing will be appended or followed. */
  readonly toRead?: boolean;
}

export async function openLog(parts: LogParts): Promise<EventLog> {
  const connection = kafkaConnection(parts.config);
  return connection ? openKafka(parts, connection) : openEmbedded(parts);
}

/** undefined: the log is the embedded one. @throws ConfigError if a file cannot be read */
export function kafkaConnection(config: Config): KafkaConnection | undefined {
  if (!config.KAFKA_BROKERS) return undefined;
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_USERNAME: username, KAFKA_SASL_PASSWORD: password } = config;
  return {
    brokers: config.KAFKA_BROKERS.split(','),
    clientId: `hallway-${config.ROLE}`,
    ...(config.KAFKA_TLS === 'on' ? { ssl: tlsOf(config) } : {}),
    ...(mechanism && username && password ? { sasl: { mechanism, username, password } } : {}),
  };
}

export const eventsTopic = (config: Config): TopicSpec => ({
  name: config.KAFKA_EVENTS_TOPIC,
  partitions: config.HALLWAY_PARTITIONS,
  replicas: config.KAFKA_REPLICAS,
  minInSyncReplicas: config.KAFKA_MIN_INSYNC_REPLICAS,
});

async function openKafka(
  { config, pool, closers, logger, toRead }: LogParts,
  connection: KafkaConnection,
): Promise<EventLog> {
  const spec = eventsTopic(config);
  const log = await createKafkaLog({
    ...connection,
    db: pool,
    topic: spec.name,
    logger,
    ...(toRead ? { toRead } : {}),
    // One process for everything is somebody trying it out: nothing else need be set up. In a cluster `hallway topics` comes first.
    ...(config.ROLE === 'all' ? { make: spec } : {}),
  });
  closers.add('log', () => log.close());
  return log;
}

async function openEmbedded({ config, url, pool, closers, logger }: LogParts): Promise<EventLog> {
  const wakers = new Set<(partition?: number) => void>();
  const wake = (partition?: number) => {
    for (const one of wakers) one(partition);
  };
  const hints = logHints();
  const notifying = notifier({ database: pool, channel: LOG_CHANNEL, logger, join: hints.join });
  closers.add('notifier of the log', () => notifying.close());
  const listening = listen({
    url,
    channel: LOG_CHANNEL,
    onNotify: (payload) => hints.read(payload, wake),
    onReady: wake,
    logger,
  });
  closers.add('listener of the log', () => listening.close());
  const log = await createPostgresLog({
    pool,
    partitions: config.HALLWAY_PARTITIONS,
    logger,
    onNotify(one) {
      wakers.add(one);
      return () => wakers.delete(one);
    },
    notify: (partition) => notifying.notify(hints.payload(partition)),
  });
  closers.add('log', () => log.close());
  return log;
}

function tlsOf({ KAFKA_TLS_CA_FILE: ca, KAFKA_TLS_CERT_FILE: cert, KAFKA_TLS_KEY_FILE: key }: Config) {
  return {
    ...(ca ? { ca: [read('KAFKA_TLS_CA_FILE', ca)] } : {}),
    ...(cert ? { cert: read('KAFKA_TLS_CERT_FILE', cert) } : {}),
    ...(key ? { key: read('KAFKA_TLS_KEY_FILE', key) } : {}),
  };
}

function read(name: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError(`201 ${name}: the file cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}
