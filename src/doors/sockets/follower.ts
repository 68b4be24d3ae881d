import type { Socket } from 'socket.io';
import type { ConferenceFeed } from '#libs/feed';
import type { ClientClass } from '#libs/protocol';
import type { Verified } from '../tokens/tokens.js';
import type { TokenBucket } from './admission.js';
import type { ChannelSet } from './channel-sets.js';
import type { SocketWriter } from './writing/fan-out.js';

/** How far one socket's copy of one channel is complete, as far as the server has written it. */
export interface Following {
  readonly follower: Follower;
  /** The follower's: one look less at each frame. */
  readonly writer: SocketWriter;
  readonly channel: string;
  /** null: a resume is being worked out; nothing else is written for the channel. Becomes and ceases to be null by `Followers.place`. */
  to: number | null;
}

/** A connected socket. */
export interface Follower {
  readonly socket: Socket;
  readonly writer: SocketWriter;
  readonly cls: ClientClass;
  readonly verified: Verified;
  readonly conference: string;
  readonly feed: ConferenceFeed;
  /** Changed by Followers alone. */
  readonly channels: Map<string, Following>;
  /** The shared channels that have a place; null: to be looked up. */
  set: ChannelSet | null;
  readonly messages: TokenBucket;
  readonly resumes: TokenBucket;
  /** Messages that were refused since one was taken: a socket that goes on is closed. */
  excess: number;
  /** Messages that are being answered. */
  inFlight: number;
  /** It was told why it must go, and is about to be closed: nothing more is written. */
  leaving: boolean;
  /** Monotonic time since when it has not been writable; null: it is. */
  slowSince: number | null;
  /** What the last beacon said of its private channels, and when (monotonic); -1: nothing yet. */
  ownChange: number;
  ownAt: number;
}
