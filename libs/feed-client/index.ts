export { ChannelCopy, type ClientDocument } from './channel-copy.js';
export { newCommandId } from './command-id.js';
export { createFeedClient, type FeedClient, type FeedClientOptions, type TicketStore } from './feed-client.js';
export { type Effect, FeedState, type Phase, type Status } from './feed-state.js';
export { socketTransport } from './socket-transport.js';
export type { Connection, Transport, TransportEvents } from './transport.js';
