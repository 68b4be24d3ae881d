/** How many channels may be resumed: each may cost the encoding of a frame that only one client needs. */

import { LRUCache } from 'lru-cache';
import { defineLimit } from '#libs/limits';
import { Refusal } from '#libs/protocol';
import { TokenBucket } from './admission.js';
import type { Follower } from './follower.js';

interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** Resumed channels. A join needs three to five. */
export const RESUMES_PER_SOCKET: Rate = {
  perSecond: defineLimit({
    name: 'sockets.resumes.socket',
    value: 20,
    unit: 'per second',
    beyond: 'a subscription is refused with 106; 250 at once',
  }),
  burst: 250,
};
/** Of attendees: whoever knows the code has a token. What the house hands out is bounded per socket, and with all others. */
export const RESUMES_PER_PERSON: Rate = {
  perSecond: defineLimit({
    name: 'sockets.resumes.person',
    value: 100,
    unit: 'per second',
    beyond: 'a subscription of an attendee is refused with 106; 1,000 at once',
  }),
  burst: 1_000,
};
export const RESUMES_PER_PROCESS: Rate = {
  perSecond: defineLimit({
    name: 'sockets.resumes.process',
    value: 5_000,
    unit: 'per second',
    beyond: 'a subscription is refused with 106; 20,000 at once',
  }),
  burst: 20_000,
};
/** Persons whose budgets are remembered. */
const MAX_PERSONS = defineLimit({
  name: 'socket.resume-budgets',
  value: 50_000,
  unit: 'entries',
  beyond: 'the oldest budget is forgotten',
});

export const bucketOf = ({ perSecond, burst }: Rate): TokenBucket => new TokenBucket(perSecond, burst);

export class ResumeBudget {
  private readonly process = bucketOf(RESUMES_PER_PROCESS);
  private readonly persons = new LRUCache<string, TokenBucket>({ max: MAX_PERSONS });

  /** @throws Refusal rate-limited */
  spend({ resumes, verified }: Pick<Follower, 'resumes' | 'verified'>, channels: number): void {
    if (channels === 0) return;
    const now = performance.now();
    const { actor, role } = verified.identity;
    const buckets = [resumes, ...(role === 'attendee' ? [this.personOf(actor)] : []), this.process];
    if (!buckets.every((bucket) => bucket.take(now, channels))) throw new Refusal('rate-limited', undefined, 1_000);
  }

  private personOf(actor: string): TokenBucket {
    const known = this.persons.get(actor);
    if (known) return known;
    const bucket = bucketOf(RESUMES_PER_PERSON);
    this.persons.set(actor, bucket);
    return bucket;
  }
}
