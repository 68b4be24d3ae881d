/** The one table of refusals (I11): 1xx try again, 2xx fix the request, 3xx not allowed. HTTP and sockets share it. */
import type { RefusalBody } from './wire.js';

interface RefusalSpec {
  readonly code: number;
  readonly http: number;
  readonly message: string;
}

export const REFUSALS = {
  internal: { code: 100, http: 500, message: 'internal' },
  busy: { code: 101, http: 503, message: 'too busy right now' },
  loading: { code: 102, http: 503, message: 'the conference is being loaded' },
  behind: { code: 103, http: 503, message: 'this gateway is behind the feed' },
  'log-unavailable': { code: 104, http: 503, message: 'the log cannot be reached; nothing is known to be lost' },
  held: { code: 105, http: 503, message: 'this part of the conference is held for repair' },
  'rate-limited': { code: 106, http: 429, message: 'too many requests' },
  draining: { code: 107, http: 503, message: 'this gateway is about to stop' },
  'too-slow': { code: 108, http: 503, message: 'the connection does not keep up' },
  malformed: { code: 200, http: 400, message: 'the request cannot be read' },
  invalid: { code: 201, http: 422, message: 'the request is not valid' },
  'unknown-conference': { code: 202, http: 404, message: 'there is no such conference' },
  'unknown-channel': { code: 203, http: 404, message: 'there is no such channel' },
  'unknown-command': { code: 204, http: 404, message: 'there is no such command' },
  'too-large': { code: 205, http: 413, message: 'the request is too large' },
  'too-deep': { code: 206, http: 400, message: 'the request is nested too deeply' },
  'unsupported-protocol': {
    code: 207,
    http: 400,
    message: 'this client speaks another version of the protocol; reload the page',
  },
  /** A rule of the conference says no; the message names it. */
  rule: { code: 208, http: 409, message: 'a rule of the conference says no' },
  'not-found': { code: 209, http: 404, message: 'there is no such thing' },
  'unknown-code': { code: 210, http: 404, message: 'this code is not valid (any more)' },
  'unknown-event': { code: 211, http: 422, message: 'there is no such type of event' },
  'unsupported-version': { code: 212, http: 422, message: 'this version of the type is not known here' },
  'id-reused': {
    code: 213,
    http: 409,
    message: 'this id was used for something else; send it under a new one',
  },
  unauthenticated: { code: 300, http: 401, message: 'a valid token is needed' },
  expired: { code: 301, http: 401, message: 'the token has expired' },
  forbidden: { code: 302, http: 403, message: 'this role may not do that' },
  'wrong-conference': { code: 303, http: 403, message: 'the token is for another conference' },
  revoked: { code: 304, http: 403, message: 'access was revoked' },
  erased: { code: 305, http: 403, message: 'this person has been erased' },
} as const satisfies Record<string, RefusalSpec>;

export type RefusalName = keyof typeof REFUSALS;

/** A refusal on its way to the one who asked. Thrown inside doors, returned by deciders. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  constructor(
    readonly refusal: RefusalName,
    /** More than the table's sentence; never an echo of the input. */
    readonly detail?: string,
    /** Milliseconds to wait. */
    readonly retryAfter?: number,
  ) {
    super(detail ?? REFUSALS[refusal].message);
  }

  /** From the wire; a number that this program does not know counts as internal. */
  static fromCode(code: number, detail?: string, retryAfter?: number): Refusal {
    const name = (Object.keys(REFUSALS) as RefusalName[]).find((candidate) => REFUSALS[candidate].code === code);
    return new Refusal(name ?? 'internal', detail, retryAfter);
  }

  get code(): number {
    return REFUSALS[this.refusal].code;
  }

  get httpStatus(): number {
    return REFUSALS[this.refusal].http;
  }

  body(): RefusalBody {
    return {
      code: this.code,
      message: this.message,
      ...(this.retryAfter === undefined ? {} : { retryAfter: this.retryAfter }),
    };
  }
}
