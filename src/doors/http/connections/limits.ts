/** What connections, persons and the process may ask and leave unread over HTTP, before anything is rendered (D17). */
export const HTTP_LIMITS = {
  /** Requests that may wait behind the one that is answered; one more closes the connection. */
  waitingPerConnection: 16,
  /** Requests that are being answered or whose answers are being read. */
  inProgress: 4_096,
  /** Of them, reads (GET, HEAD) with one token. */
  readsInProgressPerPerson: 64,
  /** Reads without a token. */
  anonymousReadsInProgress: 1_024,
  /** Reads with one token, a second and at once. */
  readsPerPerson: { perSecond: 100, burst: 400 },
  /** All reads, a second and at once. */
  reads: { perSecond: 2_000, burst: 6_000 },
  /** Bytes of answers that clients have not read. */
  unreadBytes: 64 * 1024 * 1024,
  /** Of one token. */
  unreadBytesPerPerson: 8 * 1024 * 1024,
  /** An answer of which fewer bytes are read within such a time, milliseconds, is cut off. */
  slowMs: 10_000,
  slowBytes: 4_096,
  /** How long the event loop may be held by the beginnings of requests in one turn, milliseconds. */
  sliceMs: 4,
  /** How often unread bytes are counted again, milliseconds. */
  sweepMs: 500,
};

export type HttpLimits = typeof HTTP_LIMITS;

/** Of a server, when it is made. A slow request holds a connection, not memory: its body is bounded where it is read. */
export const SERVER_TIMEOUTS = {
  /** Until the head of a request is complete, milliseconds. */
  headersTimeout: 10_000,
  /** Until a request is complete: the largest schedule over a slow line. */
  requestTimeout: 120_000,
  connectionsCheckingInterval: 2_000,
};
/** Connections beside those of the sockets that are admitted. */
export const EXTRA_CONNECTIONS = 4_596;
