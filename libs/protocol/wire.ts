/** What crosses the wire between gateway and client (socket.io events) and the same shapes over HTTP. See SPEC.md. */

export const PROTOCOL_VERSION = 1;

/** [epoch, to, proof]: how far a copy of one channel is complete, and of which history; the proof is opaque, and absent in older clients. */
export type Cursor = readonly [epoch: string, to: number, proof?: string | undefined];

/** Shown documents: [key, version, body]; a null body is a tombstone. */
export type Entry = readonly [key: string, version: number, body: object | null];

export interface Frame {
  readonly epoch: string;
  readonly channel: string;
  /** null: a snapshot, which always replaces. */
  readonly from: number | null;
  readonly to: number;
  /** Of the history up to `to`. */
  readonly proof?: string;
  readonly entries: readonly Entry[];
  /** Of each entry's last event, in the same order; "" of a tombstone. For the sum (`ContentSum`). */
  readonly marks?: readonly string[];
  /** Trace context of the newest sampled change in the frame. */
  readonly traceparent?: string;
  /** When the oldest event in it was appended, milliseconds since 1970; absent: there is none. */
  readonly appendedAt?: number;
}

/** A sample of what a client has shown, so that the road is measured to its end. */
export interface Shown {
  readonly channel: string;
  readonly to: number;
  /** As the frame said. */
  readonly appendedAt: number;
  readonly traceparent?: string;
  /** Milliseconds from the frame's arrival to its painting. */
  readonly took: number;
}

/** Of one person: it stands in a beacon's `own`. */
export const isPrivateChannel = (channel: string): boolean => channel.startsWith('me/');

export interface Beacon {
  readonly epoch: string;
  /** Server time, milliseconds since 1970. */
  readonly at: number;
  readonly head: number;
  /** Of the history up to `head`. */
  readonly proof?: string;
  /** Milliseconds since the pipeline was last known complete. */
  readonly age: number;
  /** Milliseconds until the next beacon is due. */
  readonly interval: number;
  /** Milliseconds over which clients come back if the connection ends without a word while beacons are fresh. */
  readonly spread?: number;
  /** Last change (or floor) of each followed channel that is shared. */
  readonly channels: Readonly<Record<string, number>>;
  /** The same of private ones: there if they changed since the last beacon, and else once a minute. */
  readonly own?: Readonly<Record<string, number>>;
  /** Sums of the living documents of the shared channels at `head` (`ContentSum`). */
  readonly sums?: Readonly<Record<string, number>>;
  /** The same of those that `own` names. */
  readonly ownSums?: Readonly<Record<string, number>>;
}

/** A copy that was complete and whose sum was another one than the beacon's. */
export interface Mismatch {
  readonly channel: string;
  readonly to: number;
  /** A snapshot did not mend it. */
  readonly again: boolean;
}

export interface Drain {
  /** Milliseconds over which clients spread their leaving. */
  readonly within: number;
}

export type ClientClass = 'screen' | 'desk' | 'phone';

/** In the socket.io handshake's `auth`. */
export interface Handshake {
  readonly protocol: number;
  readonly conference: string;
  readonly class: ClientClass;
  readonly token: string;
  /** What to follow from the start, as `subscribe` has it; `subscribed` answers. */
  readonly channels?: Readonly<Record<string, Cursor | null>>;
}

export interface RefusalBody {
  readonly code: number;
  readonly message: string;
  /** Milliseconds. */
  readonly retryAfter?: number;
}

export type SubscribeAck = Readonly<Record<string, 'ok' | { readonly refusal: RefusalBody }>>;

export interface CommandMessage {
  /** Made by the sender (UUID); retries keep it. */
  readonly id: string;
  readonly type: string;
  readonly data: object;
  readonly reason?: string;
  /** Position (offset) that the decision must have seen, or a cursor, which also says in which epoch. */
  readonly after?: number | Cursor;
  readonly traceparent?: string;
}

export type CommandOutcome = 'applied' | 'no-effect' | 'held' | 'pending';

export type CommandAck =
  | {
      readonly position: number | null;
      readonly outcome: CommandOutcome;
      readonly because?: string;
      readonly subject?: string;
      /** In which the position is counted: a copy of another epoch never reaches it. */
      readonly epoch?: string;
    }
  | { readonly refusal: RefusalBody };

/** Server → client. */
export interface ServerEvents {
  frame(frame: Frame): void;
  beacon(beacon: Beacon): void;
  drain(drain: Drain): void;
  /** For the query of the next upgrade. */
  ticket(message: { readonly ticket: string }): void;
  /** To the channels of the handshake: what `subscribe` would have been answered. */
  subscribed(answer: SubscribeAck | { refusal: RefusalBody }): void;
  /** The socket is about to be closed for this reason (expired, revoked, too slow …). */
  refused(refusal: RefusalBody): void;
}

/** Client → server. */
export interface ClientEvents {
  subscribe(
    message: { readonly channels: Readonly<Record<string, Cursor | null>> },
    ack: (answer: SubscribeAck | { refusal: RefusalBody }) => void,
  ): void;
  unsubscribe(
    message: { readonly channels: readonly string[] },
    ack?: (answer: { ok: true } | { refusal: RefusalBody }) => void,
  ): void;
  command(message: CommandMessage, ack: (answer: CommandAck) => void): void;
  mismatch(message: Mismatch, ack?: (answer: { ok: true } | { refusal: RefusalBody }) => void): void;
  shown(message: Shown, ack?: (answer: { ok: true } | { refusal: RefusalBody }) => void): void;
}
