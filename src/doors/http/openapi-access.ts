/** OpenAPI of how access goes on and how it ends. */
import { z } from 'zod';
import type { ZodOpenApiOperationObject, ZodOpenApiPathsObject, ZodOpenApiResponsesObject } from 'zod-openapi';
import { revocationBody, rotationBody } from './tokens.controller.js';

const conference = z.object({ conference: z.string().describe('Id of the conference; *: of all') });
const staffToken = z.object({
  id: z.uuid(),
  actor: z.string(),
  role: z.string(),
  conference: z.string(),
  label: z.string().nullable(),
  issuedBy: z.string(),
  issuedAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
  revoked: z.boolean(),
});
const act = z.object({
  at: z.iso.datetime(),
  by: z.string(),
  act: z.string(),
  conference: z.string(),
  subject: z.string(),
  reason: z.string().nullable(),
});

type Json = (
  schema: z.ZodType,
  description: string,
) => {
  readonly description: string;
  readonly content: { readonly 'application/json': { readonly schema: z.ZodType } };
};

export const listTokens = (json: Json, problems: ZodOpenApiResponsesObject): ZodOpenApiOperationObject => ({
  summary: 'List the tokens of the staff, and what was revoked (organizers)',
  requestParams: { path: conference },
  responses: { 200: json(z.object({ tokens: z.array(staffToken), acts: z.array(act) }), 'Newest first'), ...problems },
});

/** Beside every token. */
export const ticket = z.string().describe('opens a place for a socket: `ticket` in the query of its upgrade');

export function accessPaths(json: Json, problems: ZodOpenApiResponsesObject): ZodOpenApiPathsObject {
  const body = (schema: z.ZodType) => ({ content: { 'application/json': { schema } } });
  return {
    '/v1/conferences/{conference}/tokens/renew': {
      post: {
        summary: 'Renew a token for the same person (attendees, screens, moderators)',
        requestParams: { path: conference },
        responses: { 200: json(z.object({ token: z.string(), actor: z.string(), ticket }), 'A token'), ...problems },
      },
    },
    '/v1/conferences/{conference}/tokens/revoke': {
      post: {
        summary: 'Revoke a token, or all tokens and unused links of an actor (organizers)',
        requestParams: { path: conference },
        requestBody: body(revocationBody),
        responses: { 200: json(z.object({ revoked: z.string() }), 'What was revoked'), ...problems },
      },
    },
    '/v1/conferences/{conference}/keys': {
      post: {
        summary: 'Sign tokens with a new key (organizers; the conference is *)',
        requestParams: { path: conference },
        requestBody: body(rotationBody),
        responses: { 200: json(z.object({ key: z.string() }), 'The new key'), ...problems },
      },
    },
  };
}
