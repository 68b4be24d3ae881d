import { z } from 'zod';
import { createDocument } from 'zod-openapi';
import { capabilities } from '../../conference/capabilities.js';
import type { CommandSpec } from '../../conference/capability.js';
import { tokenBody } from './access.controller.js';
import { auditPage, auditQuery } from './audit.js';
import { olderPage, olderQuery } from './older.controller.js';
import { accessPaths, listTokens, ticket } from './openapi-access.js';

const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.int(),
    detail: z.string(),
    retryAfter: z.int().optional().describe('milliseconds'),
  })
  .meta({ id: 'Problem' });
const ack = z
  .object({
    position: z.int().nullable(),
    outcome: z.enum(['applied', 'no-effect', 'held', 'pending']),
    because: z.string().optional(),
    subject: z.string().optional().describe('id of the thing it is about or made'),
  })
  .meta({ id: 'Outcome' });

/** Types of events that are taken from outside. */
const takenTypes = capabilities
  .flatMap(({ events }) => events)
  .flatMap(({ type, takenAs }) => (takenAs === undefined ? [] : [type]));

/** Channels of which only the last documents are followed. */
const WINDOWED = capabilities
  .flatMap(({ channels }) => channels)
  .flatMap(({ pattern, older }) => (older ? [pattern] : []));

const problems = {
  default: {
    description: 'A numbered refusal: 1xx try again, 2xx fix the request, 3xx not allowed',
    content: { 'application/problem+json': { schema: problem } },
  },
};
const json = (schema: z.ZodType, description: string) => ({ description, content: { 'application/json': { schema } } });
const conference = z.object({ conference: z.string().describe('Id of the conference') });

const commandBody = ({ type, schema, summary, by, example }: CommandSpec) =>
  z
    .object({
      id: z.string().max(100).describe('made by the sender; a retry with the same id acts once'),
      type: z.literal(type),
      data: schema,
      reason: z.string().max(500).optional(),
      after: z.int().optional().describe('position the decision must have seen'),
    })
    .meta({
      id: type,
      description: `${summary}. Who: ${by.join(', ')}.`,
      example: { id: '0190b6f4-0000-7000-8000-000000000001', type, data: example },
    });

const EXPORTS = [
  {
    name: 'xml',
    type: 'application/xml',
    summary: 'schedule.xml (frab, pretalx): planned times, without what is cancelled',
  },
  {
    name: 'json',
    type: 'application/json',
    summary: 'schedule.json version 1: planned times, without what is cancelled',
  },
  { name: 'ics', type: 'text/calendar', summary: 'iCalendar: with announced delays, cancelled sessions marked' },
];

/** OpenAPI 3.1; every command with its own schema, who may give it, and an example. */
export function openApi(publicUrl: string): object {
  return createDocument({
    openapi: '3.1.0',
    servers: [{ url: publicUrl }],
    info: {
      title: 'Hallway',
      version: '1',
      description:
        'The live feed of a conference. What is followed by sockets can be read here; both doors take the same commands.',
    },
    components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
    security: [{ token: [] }],
    paths: {
      '/v1/conferences': {
        get: {
          summary: 'Conferences',
          security: [],
          responses: {
            200: json(
              z.object({ conferences: z.array(z.object({ id: z.string(), title: z.string() })) }),
              'Conferences',
            ),
            ...problems,
          },
        },
      },
      '/v1/conferences/{conference}/commands': {
        post: {
          summary: 'Give a command',
          requestParams: { path: conference },
          requestBody: {
            required: true,
            content: { 'application/json': { schema: z.discriminatedUnion('type', commandSchemas() as never) } },
          },
          responses: { 200: json(ack, 'Its outcome'), 202: json(ack, 'Accepted; its outcome is pending'), ...problems },
        },
      },
      '/v1/conferences/{conference}/commands/{id}': {
        get: {
          summary: 'Outcome of an earlier command of one’s own',
          requestParams: { path: conference.extend({ id: z.string() }) },
          responses: { 200: json(ack, 'Its outcome'), ...problems },
        },
      },
      '/v1/conferences/{conference}/channels/{channel}': {
        get: {
          summary: `Snapshot of a channel: ${capabilities.flatMap(({ channels }) => channels.filter(({ by }) => by.length > 0).map(({ pattern }) => pattern)).join(', ')}`,
          requestParams: {
            path: conference.extend({ channel: z.string() }),
            query: z.object({ position: z.int().optional().describe('waits, bounded, until the head has reached it') }),
          },
          responses: {
            200: json(
              z.object({
                epoch: z.string(),
                channel: z.string(),
                from: z.null(),
                to: z.int(),
                entries: z.array(z.unknown()),
                stale: z.literal(true).optional(),
              }),
              'A snapshot frame',
            ),
            304: { description: 'Unchanged' },
            ...problems,
          },
        },
      },
      '/v1/conferences/{conference}/older/{channel}': {
        get: {
          summary: `What left the window of a channel, page by page (whoever may follow it): ${WINDOWED.join(', ')}`,
          requestParams: { path: conference.extend({ channel: z.string() }), query: olderQuery },
          responses: { 200: json(olderPage, 'A page'), ...problems },
        },
      },
      '/v1/conferences/{conference}/join': {
        post: {
          summary: 'An attendee’s token for a join code',
          security: [],
          requestParams: { path: conference },
          requestBody: { content: { 'application/json': { schema: z.object({ code: z.string() }) } } },
          responses: { 200: json(z.object({ token: z.string(), actor: z.string(), ticket }), 'A token'), ...problems },
        },
      },
      '/v1/conferences/{conference}/tokens': {
        get: listTokens(json, problems),
        post: {
          summary: 'Make a token or a one-time link (organizers)',
          requestParams: { path: conference },
          requestBody: {
            content: {
              'application/json': {
                schema: tokenBody,
              },
            },
          },
          responses: {
            200: json(
              z.object({
                actor: z.string(),
                token: z.string().optional(),
                ticket: ticket.optional(),
                url: z.string().optional(),
              }),
              'A token or link',
            ),
            ...problems,
          },
        },
      },
      ...accessPaths(json, problems),
      '/v1/conferences/{conference}/links': {
        post: {
          summary: 'A one-time link to go on as the same person on another device (moderators, operators, organizers)',
          requestParams: { path: conference },
          responses: { 200: json(z.object({ actor: z.string(), url: z.string() }), 'The link'), ...problems },
        },
      },
      '/v1/conferences/{conference}/imports': {
        post: {
          summary: 'Import a schedule.xml or schedule.json version 1 (organizers)',
          requestParams: { path: conference },
          requestBody: {
            content: {
              'application/xml': { schema: z.string() },
              'application/json': { schema: z.object({ schedule: z.looseObject({}) }) },
            },
          },
          responses: {
            200: {
              description: 'JSON lines: progress, then the report',
              content: { 'application/x-ndjson': { schema: z.string() } },
            },
            ...problems,
          },
        },
      },
      '/v1/conferences/{conference}/events': {
        post: {
          summary: 'Send a CloudEvent 1.0, binary or structured, JSON (producers); taken like a command',
          requestParams: { path: conference },
          requestBody: {
            content: {
              'application/cloudevents+json': {
                schema: z.object({
                  specversion: z.literal('1.0'),
                  id: z.string().describe('with the source: what is sent twice acts once'),
                  source: z.string().describe('the actor of the token'),
                  type: z.enum(takenTypes),
                  data: z.record(z.string(), z.unknown()),
                  actor: z.string().optional().describe('a person of the producer’s own'),
                }),
              },
            },
          },
          responses: { 200: json(ack, 'The outcome'), 202: json(ack, 'Appended, not yet shown'), ...problems },
        },
      },
      '/v1/conferences/{conference}/audit': {
        get: {
          summary: 'Who did what, when and why, with the way back; newest first (organizers)',
          requestParams: { path: conference, query: auditQuery },
          responses: {
            200: json(auditPage, 'A page'),
            ...problems,
          },
        },
      },
      ...Object.fromEntries(
        (['csv', 'json'] as const).map((format) => [
          `/v1/conferences/{conference}/audit.${format}`,
          {
            get: {
              summary: `The whole audit as ${format === 'csv' ? 'CSV' : 'JSON lines'} (organizers)`,
              requestParams: { path: conference },
              responses: {
                200: {
                  description: 'A file',
                  content: { [format === 'csv' ? 'text/csv' : 'application/x-ndjson']: { schema: z.string() } },
                },
                ...problems,
              },
            },
          },
        ]),
      ),
      ...Object.fromEntries(
        EXPORTS.map(({ name, type, summary }) => [
          `/v1/conferences/{conference}/schedule.${name}`,
          {
            get: {
              summary: `The schedule as ${summary} (whoever may follow channel schedule)`,
              requestParams: { path: conference },
              responses: {
                200: { description: 'The schedule', content: { [type]: { schema: z.string() } } },
                304: { description: 'Unchanged' },
                ...problems,
              },
            },
          },
        ]),
      ),
      '/v1/links/{code}': {
        post: {
          summary: 'Redeem a one-time link',
          security: [],
          requestParams: { path: z.object({ code: z.string() }) },
          responses: {
            200: json(
              z.object({ token: z.string(), role: z.string(), conference: z.string(), actor: z.string(), ticket }),
              'A token',
            ),
            ...problems,
          },
        },
      },
    },
  });
}

const commandSchemas = () => capabilities.flatMap(({ commands }) => commands).map(commandBody);
