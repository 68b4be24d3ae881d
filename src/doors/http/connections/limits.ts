/** What connections, persons and the process may ask and leave unread over HTTP, before anything is rendered (D17). */
import { defineLimit } from '#libs/limits';
export const HTTP_LIMITS = {
  /** Requests that may wait behind the one that is answered; one more closes the connection. */
  waitingPerConnection: defineLimit({
    name: 'http.connection.waiting',
    value: 16,
    unit: 'requests',
    beyond: 'the connection is closed',
  }),
  /** Requests that are being answered or whose answers are being read. */
  inProgress: defineLimit({ name: 'http.in-progress', value: 4_096, unit: 'requests', beyond: 'refused with 101' }),
  /** Of them, reads (GET, HEAD) with one token. */
  readsInProgressPerPerson: defineLimit({
    name: 'http.reads.in-progress.person',
    value: 64,
    unit: 'requests',
    beyond: 'a read with the same token is refused with 106',
  }),
  /** Reads without a token. */
  anonymousReadsInProgress: defineLimit({
    name: 'http.reads.in-progress.anonymous',
    value: 1_024,
    unit: 'requests',
    beyond: 'a read without a token is refused with 101',
  }),
  /** Reads with one token, a second and at once. */
  readsPerPerson: {
    perSecond: defineLimit({
      name: 'http.reads.person',
      value: 100,
      unit: 'per second',
      beyond: 'a read with the same token is refused with 106; 400 at once',
    }),
    burst: 400,
  },
  /** All reads, a second and at once. */
  reads: {
    perSecond: defineLimit({
      name: 'http.reads',
      value: 2_000,
      unit: 'per second',
      beyond: 'a read is refused with 101; 6,000 at once',
    }),
    burst: 6_000,
  },
  /** Bytes of answers that clients have not read. */
  unreadBytes: defineLimit({
    name: 'http.unread',
    value: 64 * 1024 * 1024,
    unit: 'bytes',
    beyond: 'the largest unread answers are cut off, reads are refused with 101',
  }),
  /** Of one token. */
  unreadBytesPerPerson: defineLimit({
    name: 'http.unread.person',
    value: 8 * 1024 * 1024,
    unit: 'bytes',
    beyond: 'the largest unread answers of the token are cut off, its reads are refused with 106',
  }),
  /** An answer of which fewer bytes are read within such a time, milliseconds, is cut off. */
  slowMs: defineLimit({
    name: 'http.slow',
    value: 10_000,
    unit: 'ms',
    beyond: 'an answer of which less than 4 kB was read in this time is cut off',
  }),
  slowBytes: 4_096,
  /** How long the event loop may be held by the beginnings of requests in one turn, milliseconds. */
  sliceMs: defineLimit({
    name: 'http.slice',
    value: 4,
    unit: 'ms',
    beyond: 'further requests begin in later turns of the event loop',
  }),
  /** How often unread bytes are counted again, milliseconds. */
  sweepMs: 500,
};

export type HttpLimits = typeof HTTP_LIMITS;

/** Of a server, when it is made. A slow request holds a connection, not memory: its body is bounded where it is read. */
export const SERVER_TIMEOUTS = {
  /** Until the head of a request is complete, milliseconds. */
  headersTimeout: defineLimit({
    name: 'http.headers.time',
    value: 10_000,
    unit: 'ms',
    beyond: 'refused with 200 and closed',
  }),
  /** Until a request is complete: the largest schedule over a slow line. */
  requestTimeout: defineLimit({
    name: 'http.request.time',
    value: 120_000,
    unit: 'ms',
    beyond: 'refused with 200 and closed',
  }),
  connectionsCheckingInterval: 2_000,
};
/** Connections beside those of the sockets that are admitted. */
export const EXTRA_CONNECTIONS = defineLimit({
  name: 'http.connections',
  value: 4_596,
  unit: 'connections',
  beyond: 'beside the admitted sockets: a further connection is not taken',
});
