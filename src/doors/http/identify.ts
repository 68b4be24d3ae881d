import type { Request } from 'express';
import { Refusal } from '#libs/protocol';
import type { Identity } from '../../conference/capability.js';
import type { Tokens } from '../tokens/tokens.js';

/** @throws Refusal unauthenticated, expired, wrong-conference */
export async function identify(tokens: Tokens, request: Request, conference?: string): Promise<Identity> {
  const token = /^Bearer ([\w.-]+)$/.exec(request.headers.authorization ?? '')?.[1];
  if (!token) throw new Refusal('unauthenticated');
  const { identity } = await tokens.verify(token);
  if (conference !== undefined && identity.conference !== '*' && identity.conference !== conference)
    throw new Refusal('wrong-conference');
  return identity;
}
