export { FEED_CHANNEL } from './alarm.js';
export { epochOf } from './epoch.js';
export { createFeed, type FeedOptions } from './feed.js';
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
