export type { FoldedCommand } from './awaited-outcomes.js';
export { epochOf } from './epoch.js';
export { createFeed, FEED_CHANNEL, type FeedOptions } from './feed.js';
export type {
  Advance,
  ConferenceFeed,
  EncodedFrame,
  Feed,
  FeedDocument,
  FeedStats,
  OpenFailure,
  Resume,
} from './types.js';
export { contentTag } from './types.js';
