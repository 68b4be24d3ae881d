export { epochOf } from './epoch.js';
export type { Advance, ConferenceFeed, EncodedFrame, Feed, FeedDocument, OpenFailure, Resume } from './types.js';
