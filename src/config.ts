/** Configuration is the environment, parsed once; the only file that reads process.env. */
import { z } from 'zod';
import { producersSchema } from './intake/producers.js';

/** Values that must never be printed. */
const SECRETS = new Set(['DATABASE_URL', 'HALLWAY_TOKEN', 'KAFKA_SASL_PASSWORD']);

const port = z.coerce.number().int().min(0).max(65_535);
const topicName = z.string().regex(/^[a-zA-Z0-9._-]{1,200}$/, 'letters, digits, dots, dashes and underscores');
const schema = z.object({
  PORT: port.default(3000).describe('Port of the HTTP and socket door; 0 takes a free one'),
  HOST: z.string().min(1).default('127.0.0.1').describe('Address to listen on'),
  PUBLIC_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('How browsers reach this service; default http://HOST:PORT'),
  DATA_DIR: z.string().min(1).default('./data').describe('Folder of the embedded database and local credentials'),
  DATABASE_URL: z
    .url({ protocol: /^postgres(ql)?$/ })
    .optional()
    .describe('Postgres 15 or newer instead of the embedded one'),
  KAFKA_BROKERS: z
    .string()
    .regex(/^[^\s,:]+:\d+(,[^\s,:]+:\d+)*$/, 'host:port, separated by commas')
    .optional()
    .describe('Some Kafka brokers, host:port,host:port; the log is Kafka instead of the embedded one'),
  KAFKA_EVENTS_TOPIC: topicName.default('conference.events').describe('Topic of the log; key = conference'),
  KAFKA_INTAKE_TOPIC: topicName.default('conference.intake').describe('Topic of CloudEvents of other programs'),
  KAFKA_REPLICAS: z.coerce
    .number()
    .int()
    .min(1)
    .max(9)
    .default(1)
    .describe('Replicas of a topic that `hallway topics` makes'),
  KAFKA_MIN_INSYNC_REPLICAS: z.coerce
    .number()
    .int()
    .min(1)
    .max(9)
    .default(1)
    .describe('Replicas that must have an event before it counts as appended'),
  KAFKA_TLS: z.enum(['on', 'off']).default('off').describe('Encrypt connections to Kafka'),
  KAFKA_TLS_CA_FILE: z
    .string()
    .min(1)
    .optional()
    .describe('Authorities trusted for Kafka (PEM); default: the system’s'),
  KAFKA_TLS_CERT_FILE: z.string().min(1).optional().describe('Own certificate for Kafka (PEM)'),
  KAFKA_TLS_KEY_FILE: z.string().min(1).optional().describe('Key of that certificate (PEM)'),
  KAFKA_SASL_MECHANISM: z
    .enum(['plain', 'scram-sha-256', 'scram-sha-512'])
    .optional()
    .describe('How to log in to Kafka; default: not at all'),
  KAFKA_SASL_USERNAME: z.string().min(1).optional().describe('User at Kafka'),
  KAFKA_SASL_PASSWORD: z.string().min(1).optional().describe('Password at Kafka'),
  ROLE: z.enum(['all', 'projector', 'gateway']).default('all').describe('What this process does; all: everything'),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('Least severe log lines that are written'),
  METRICS_PORT: z
    .union([z.literal('off'), port])
    .default(9464)
    .describe('Port of the Prometheus endpoint /metrics on HOST; off: none'),
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('A collector (OTLP over HTTP, as http://localhost:4318) that gets traces and metrics; default: none'),
  OTEL_SDK_DISABLED: z.enum(['true', 'false']).default('false').describe('true: no traces and no metrics at all'),
  HALLWAY_TRACE_RATIO: z.coerce
    .number()
    .min(0)
    .max(1)
    .default(1)
    .describe('Share of commands whose road is traced; what is refused always is'),
  HALLWAY_PARTITIONS: z.coerce
    .number()
    .int()
    .min(1)
    .max(256)
    .default(8)
    .describe('Partitions of the log; fixed when it is first made'),
  HALLWAY_MAX_SOCKETS: z.coerce
    .number()
    .int()
    .min(1)
    .max(200_000)
    .default(20_000)
    .describe('Sockets one gateway admits'),
  HALLWAY_JOIN_BUDGET: z.coerce
    .number()
    .int()
    .min(1)
    .default(5_000)
    .describe('Attendee tokens one join code hands out per minute'),
  HALLWAY_DRAIN_MS: z.coerce
    .number()
    .int()
    .min(0)
    .max(60_000)
    .default(2_000)
    .describe('Milliseconds over which clients are asked to leave before a stop'),
  HALLWAY_PRODUCERS: producersSchema
    .optional()
    .describe(
      'Which source may send which types of events, as JSON: {"venue-doors":["room-filled-up"],"venue":["*"]}; ["*"]: every type',
    ),
  HALLWAY_DEMO: z
    .enum(['on', 'off'])
    .optional()
    .describe('A demo conference that plays by itself where there is none; default: on with ROLE=all'),
  HALLWAY_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('Command line: the service to talk to; default http://HOST:PORT'),
  HALLWAY_TOKEN: z
    .string()
    .min(1)
    .optional()
    .describe('Command line: token to use; default: the local organizer credential in DATA_DIR'),
});

export type Config = Readonly<z.output<typeof schema>> & { readonly publicUrl: string };

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * @param environment usually the process's own
 * @throws ConfigError naming every variable that is wrong, never its value
 */
export function readConfig(environment: Readonly<Record<string, string | undefined>> = process.env): Config {
  const known = new Set(Object.keys(schema.shape));
  const unknown = Object.keys(environment).filter((name) => name.startsWith('HALLWAY_') && !known.has(name));
  const given = Object.fromEntries([...known].map((name) => [name, environment[name] || undefined]));
  const parsed = schema.safeParse(given);
  const complaints = [
    ...unknown.map((name) => `${name}: unknown; \`hallway config --help\` lists what exists`),
    ...(parsed.success ? [] : parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)),
  ];
  if (['projector', 'gateway'].includes(given.ROLE ?? '') && !given.DATABASE_URL) {
    complaints.push(
      'ROLE: a projector or gateway of its own needs DATABASE_URL (the embedded database belongs to one process)',
    );
  }
  complaints.push(...kafkaComplaints(given));
  if (!parsed.success || complaints.length > 0)
    throw new ConfigError(`201 the configuration is not valid\n  ${complaints.join('\n  ')}`);
  const { HOST, PORT, PUBLIC_URL } = parsed.data;
  const host = HOST === '0.0.0.0' || HOST === '::' ? 'localhost' : HOST;
  return Object.freeze({ ...parsed.data, publicUrl: (PUBLIC_URL ?? `http://${host}:${PORT}`).replace(/\/$/, '') });
}

function kafkaComplaints(given: Readonly<Record<string, string | undefined>>): readonly string[] {
  const together = (names: readonly string[], what: string) => {
    const count = names.filter((name) => given[name] !== undefined).length;
    return count === 0 || count === names.length ? [] : [`${names.join(', ')}: ${what}`];
  };
  const replicas = Number(given.KAFKA_REPLICAS ?? 1);
  const { KAFKA_EVENTS_TOPIC, KAFKA_INTAKE_TOPIC } = schema.shape;
  const events = given.KAFKA_EVENTS_TOPIC ?? KAFKA_EVENTS_TOPIC.parse(undefined);
  const intake = given.KAFKA_INTAKE_TOPIC ?? KAFKA_INTAKE_TOPIC.parse(undefined);
  return [
    ...(events === intake ? ['KAFKA_INTAKE_TOPIC: the log takes no events of others; it must be another topic'] : []),
    ...together(['KAFKA_SASL_MECHANISM', 'KAFKA_SASL_USERNAME', 'KAFKA_SASL_PASSWORD'], 'all of them or none'),
    ...together(['KAFKA_TLS_CERT_FILE', 'KAFKA_TLS_KEY_FILE'], 'both or none'),
    ...(Number(given.KAFKA_MIN_INSYNC_REPLICAS ?? 1) > replicas
      ? ['KAFKA_MIN_INSYNC_REPLICAS: more than KAFKA_REPLICAS, so nothing could ever be appended']
      : []),
  ];
}

const shown = (value: unknown): string => (typeof value === 'object' ? JSON.stringify(value) : String(value));

/** Every name with its value (secrets masked) and meaning, in order of the schema. */
export function describeConfig(
  config: Config,
): readonly { readonly name: string; readonly value: string; readonly meaning: string }[] {
  return Object.entries(schema.shape).map(([name, field]) => {
    const value = config[name as keyof Config];
    return {
      name,
      value: value === undefined ? '' : SECRETS.has(name) ? '(set)' : shown(value),
      meaning: field.description ?? '',
    };
  });
}

/** All that can be configured, as a table for people: name, default, meaning. */
export function configTable(): string {
  const defaults = readConfig({});
  const rows = Object.entries(schema.shape).map(([name, { description = '' }]) => {
    const value = defaults[name as keyof Config];
    return `| \`${name}\` | ${value === undefined ? '' : `\`${shown(value)}\``} | ${description.replaceAll('|', '\\|')} |`;
  });
  return ['| variable | default | meaning |', '|---|---|---|', ...rows].join('\n');
}
