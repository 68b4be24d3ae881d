/** How long tokens last, and how they go on. */
import { defineLimit } from '#libs/limits';
import type { Role } from '../../conference/capability.js';

const DAY = 24 * 3_600;

/** Seconds of a token of this role. */
export const TOKEN_SECONDS: Readonly<Record<Role, number>> = {
  organizer: 30 * DAY,
  moderator: 14 * DAY,
  operator: 30 * DAY,
  attendee: 14 * DAY,
  screen: 60 * DAY,
  producer: 365 * DAY,
};

interface Renewal {
  /** So long after its end a token can still be renewed: a phone that was off is the same phone. */
  readonly graceSeconds: number;
  /** So long after the first one was issued no other is. */
  readonly withinSeconds: number;
}

/** Roles whose tokens are renewed by whoever holds them. The others' open too much: they end, and somebody gives a new link. */
export const RENEWALS: Readonly<Partial<Record<Role, Renewal>>> = {
  attendee: { graceSeconds: 7 * DAY, withinSeconds: 90 * DAY },
  screen: { graceSeconds: 7 * DAY, withinSeconds: 240 * DAY },
  moderator: { graceSeconds: 0, withinSeconds: 90 * DAY },
};

/** Seconds in which a one-time link can be used. */
export const LINK_SECONDS = defineLimit({
  name: 'access.link.lifetime',
  value: 2 * DAY,
  unit: 'seconds',
  beyond: 'the link is refused with 210',
});

/** Per person. */
export const LINKS_PER_MINUTE = defineLimit({
  name: 'access.links.rate',
  value: 10,
  unit: 'per minute',
  beyond: 'another link to go on on another device is refused with 106',
});
export const MINTS_PER_MINUTE = defineLimit({
  name: 'access.tokens.rate',
  value: 300,
  unit: 'per minute',
  beyond: 'another token or link of this organizer is refused with 106',
});
export const RENEWALS_PER_MINUTE = defineLimit({
  name: 'access.renewals.rate',
  value: 10,
  unit: 'per minute',
  beyond: 'another renewal of this person is refused with 106',
});
