import type { Request } from 'express';
import type { Feed } from '#libs/feed';
import { Refusal } from '#libs/protocol';
import { mayConnect } from '../../conference/access.js';
import type { Identity } from '../../conference/capability.js';
import { stateOf } from '../../conference/state.js';
import { withFeed } from '../open-feed.js';
import type { Tokens, Verified } from '../tokens/tokens.js';

export interface EnterPorts {
  readonly tokens: Pick<Tokens, 'verify'>;
  readonly feed: Pick<Feed, 'open'>;
}

/**
 * The one check of each request: the token, the conference it is for, and what is true of the person in that conference now (a grant
 * taken back, an erasure). What the person may do there is judged afterwards, by role and grant.
 * @throws Refusal unauthenticated, expired, revoked, erased, wrong-conference; "try again" while the conference is being loaded
 */
export async function identify({ tokens, feed }: EnterPorts, request: Request, conference: string): Promise<Identity> {
  const { identity } = await verifyRequest(tokens, request);
  await mayEnter(feed, identity, conference);
  return identity;
}

/** @throws as `identify` */
export async function mayEnter(feed: EnterPorts['feed'], identity: Identity, conference: string): Promise<void> {
  if (identity.conference !== '*' && identity.conference !== conference) throw new Refusal('wrong-conference');
  if (conference === '*') return;
  try {
    const here = await withFeed(feed, conference, (opened) => mayConnect(identity, stateOf(opened)));
    if (here !== 'ok') throw here;
  } catch (error) {
    // Nothing is known of anybody there; whether it may be opened, or must exist, the route says.
    if (error instanceof Refusal && error.refusal === 'unknown-conference') return;
    throw error;
  }
}

/** The token alone. @throws Refusal unauthenticated, expired, revoked */
export async function verifyRequest(
  tokens: Pick<Tokens, 'verify'>,
  request: Pick<Request, 'headers'>,
  graceMs = 0,
): Promise<Verified> {
  const token = /^Bearer ([\w.-]+)$/.exec(request.headers.authorization ?? '')?.[1];
  if (!token) throw new Refusal('unauthenticated');
  return tokens.verify(token, graceMs);
}
