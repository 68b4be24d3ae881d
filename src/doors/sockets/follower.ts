import type { Socket } from 'socket.io';
import type { ConferenceFeed } from '#libs/feed';
import type { ClientClass } from '#libs/protocol';
import type { Verified } from '../tokens/tokens.js';
import type { TokenBucket } from './admission.js';
import type { Outlet } from './fan-out.js';

/** How far one socket's copy of one channel is complete, as far as the server has written it. */
export interface Following {
  readonly follower: Follower;
  /** The follower's: one look less at each frame. */
  readonly outlet: Outlet;
  readonly channel: string;
  /** null: a resume is being worked out; nothing else is written for the channel. */
  to: number | null;
}

/** A connected socket. */
export interface Follower {
  readonly socket: Socket;
  readonly outlet: Outlet;
  readonly cls: ClientClass;
  readonly verified: Verified;
  readonly conference: string;
  readonly feed: ConferenceFeed;
  /** Changed by Followers alone. */
  readonly channels: Map<string, Following>;
  readonly bucket: TokenBucket;
  /** It was told why it must go, and is about to be closed: nothing more is written. */
  leaving: boolean;
  /** Monotonic time since when it has not drained; null: it drains. */
  slowSince: number | null;
}
