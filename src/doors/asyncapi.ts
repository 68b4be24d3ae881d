/** The AsyncAPI 3 document: the log, the intake and the socket, from the same schemas that check every message. */
import { z } from 'zod';
import {
  beaconSchema,
  commandAckSchema,
  commandSchema,
  drainSchema,
  frameSchema,
  handshakeSchema,
  PROTOCOL_VERSION,
  refusalSchema,
  shownSchema,
  subscribeAckSchema,
  subscribeSchema,
  ticketSchema,
  unsubscribeSchema,
} from '#libs/protocol';
import { capabilities } from '../conference/capabilities.js';

type Json = Readonly<Record<string, unknown>>;

const schemaOf = (schema: z.ZodType, io: 'input' | 'output' = 'input'): Json => {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { target: 'draft-07', io, unrepresentable: 'any' });
  return json;
};

const events = capabilities.flatMap((capability) => capability.events);
const commandOf = new Map(capabilities.flatMap(({ commands }) => commands).map((spec) => [spec.type, spec]));

/** Attributes of the CloudEvents Kafka binding, as headers of a record in binary mode. */
const HEADERS = {
  type: 'object',
  required: ['ce_specversion', 'ce_id', 'ce_source', 'ce_type'],
  properties: {
    ce_specversion: { const: '1.0' },
    ce_id: { type: 'string' },
    ce_source: { type: 'string' },
    ce_type: { type: 'string' },
    ce_subject: { type: 'string', description: 'id of the thing it is about' },
    ce_time: { type: 'string', format: 'date-time' },
    ce_dataschema: { type: 'string', description: 'ends with the version of the type: hallway:question-asked/1' },
    traceparent: { type: 'string' },
  },
};

const logMessages = Object.fromEntries(
  events.map(({ type, summary, schema, example }) => [
    type,
    {
      name: type,
      title: summary,
      contentType: 'application/json',
      headers: { $ref: '#/components/schemas/EventHeaders' },
      payload: schemaOf(schema),
      examples: [{ name: type, payload: example }],
    },
  ]),
);

/** Of what is taken from outside: the data of the command that it is taken as. */
const intakeMessages = Object.fromEntries(
  events.flatMap(({ type, summary, takenAs }) => {
    const command = takenAs === undefined ? undefined : commandOf.get(takenAs);
    if (!command) return [];
    const example = { specversion: '1.0', id: 'e-1', source: 'venue-system', type, data: command.example };
    const payload = {
      type: 'object',
      required: ['specversion', 'id', 'source', 'type', 'data'],
      properties: {
        specversion: { const: '1.0' },
        id: { type: 'string', minLength: 1, description: 'with the source: what is sent twice acts once' },
        source: { type: 'string', minLength: 1, description: 'one that HALLWAY_PRODUCERS names' },
        type: { const: type },
        time: { type: 'string', format: 'date-time' },
        actor: { type: 'string', description: 'a person of the producer’s own' },
        data: schemaOf(command.schema),
      },
    };
    const message = { name: type, title: summary, contentType: 'application/cloudevents+json', payload };
    return [[`taken-${type}`, { ...message, examples: [{ name: type, payload: example }] }]];
  }),
);

const socket = (title: string, payload: z.ZodType, example: unknown, reply?: z.ZodType): Json => ({
  name: title,
  title,
  contentType: 'application/json',
  payload: schemaOf(payload, reply ? 'input' : 'output'),
  examples: [{ name: title, payload: example }],
  ...(reply ? { 'x-ack': schemaOf(reply, 'output') } : {}),
});

const sent = {
  frame: socket('frame', frameSchema, {
    epoch: 'k3v9',
    channel: 'session/s1/questions',
    from: 17,
    to: 18,
    entries: [['question/q1', 18, { id: 'q1', text: 'Why?', votes: 1 }]],
  }),
  beacon: socket('beacon', beaconSchema, {
    epoch: 'k3v9',
    at: 1_795_488_000_000,
    head: 18,
    age: 40,
    interval: 2_000,
    channels: { schedule: 3 },
  }),
  drain: socket('drain', drainSchema, { within: 2_000 }),
  ticket: socket('ticket', ticketSchema, { ticket: 'AGofA8Qf8Yf0m4cC2mW9bq3JxgDk' }),
  subscribed: socket('subscribed', subscribeAckSchema, { schedule: 'ok' }),
  refused: socket('refused', refusalSchema, { code: 304, message: 'access was revoked' }),
};
const received = {
  subscribe: socket('subscribe', subscribeSchema, { channels: { schedule: null } }, subscribeAckSchema),
  unsubscribe: socket('unsubscribe', unsubscribeSchema, { channels: ['schedule'] }, z.object({ ok: z.literal(true) })),
  shown: socket(
    'shown',
    shownSchema,
    { channel: 'schedule', to: 18, appendedAt: 1_795_488_000_000, took: 16 },
    z.object({ ok: z.literal(true) }),
  ),
  command: socket(
    'command',
    commandSchema,
    { id: 'c-1', type: 'upvote-question', data: { question: 'q1' } },
    commandAckSchema,
  ),
};

const refs = (channel: string, names: readonly string[]) =>
  names.map((name) => ({ $ref: `#/channels/${channel}/messages/${name}` }));
const messagesOf = (messages: Json) =>
  Object.fromEntries(Object.keys(messages).map((name) => [name, { $ref: `#/components/messages/${name}` }]));

export function asyncApi(): Json {
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Hallway',
      version: String(PROTOCOL_VERSION),
      description:
        'Events of conferences: the log, what is taken from other programs, and the live feed over socket.io.',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    defaultContentType: 'application/json',
    servers: {
      gateway: { host: '{host}', protocol: 'socket.io', variables: { host: { default: '127.0.0.1:3000' } } },
      kafka: { host: '{broker}', protocol: 'kafka', variables: { broker: { default: '127.0.0.1:9092' } } },
    },
    channels: {
      log: {
        address: 'conference.events',
        title: 'The log; key: the conference’s id; only Hallway writes it',
        servers: [{ $ref: '#/servers/kafka' }],
        messages: messagesOf(logMessages),
      },
      intake: {
        address: 'conference.intake',
        title: 'CloudEvents of other programs, binary or structured; key: the conference’s id',
        servers: [{ $ref: '#/servers/kafka' }],
        messages: messagesOf(intakeMessages),
      },
      events: {
        address: '/v1/conferences/{conference}/events',
        title: 'The same over HTTP: POST, with a token of the role producer',
        parameters: { conference: { description: 'id of the conference' } },
        messages: messagesOf(intakeMessages),
      },
      feed: {
        address: '/socket.io',
        title: `The live feed; the handshake’s auth is ${JSON.stringify(Object.keys(handshakeSchema.shape))}; transport websocket`,
        servers: [{ $ref: '#/servers/gateway' }],
        messages: messagesOf({ ...sent, ...received }),
      },
    },
    operations: {
      writeLog: {
        action: 'send',
        channel: { $ref: '#/channels/log' },
        messages: refs('log', Object.keys(logMessages)),
      },
      takeFromKafka: {
        action: 'receive',
        channel: { $ref: '#/channels/intake' },
        messages: refs('intake', Object.keys(intakeMessages)),
      },
      takeFromHttp: {
        action: 'receive',
        channel: { $ref: '#/channels/events' },
        bindings: { http: { method: 'POST' } },
        messages: refs('events', Object.keys(intakeMessages)),
      },
      feed: { action: 'send', channel: { $ref: '#/channels/feed' }, messages: refs('feed', Object.keys(sent)) },
      ask: { action: 'receive', channel: { $ref: '#/channels/feed' }, messages: refs('feed', Object.keys(received)) },
    },
    components: {
      messages: { ...logMessages, ...intakeMessages, ...sent, ...received },
      schemas: { EventHeaders: HEADERS, Handshake: schemaOf(handshakeSchema), Refusal: schemaOf(refusalSchema) },
    },
  };
}
