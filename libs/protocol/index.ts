export { ContentSum } from './content-sum.js';
export { decodeUtf8, faultIn, isPlain, isStorable, MAX_DEPTH, refuseUnstorable } from './input.js';
export { describeIssues } from './issues.js';
export {
  channelName,
  commandSchema,
  handshakeSchema,
  MAX_CHANNELS,
  mismatchSchema,
  parseBounded,
  shownSchema,
  subscribeSchema,
  unsubscribeSchema,
} from './messages.js';
export {
  ANSWERS,
  beaconSchema,
  commandAckSchema,
  drainSchema,
  frameSchema,
  refusalSchema,
  SENT,
  subscribeAckSchema,
  ticketSchema,
} from './outgoing.js';
export { cleanLine, cleanText, isVisible } from './plain-text.js';
export { REFUSALS, Refusal, type RefusalName } from './refusals.js';
export { refuseInvisible } from './visible.js';
export {
  type Beacon,
  type ClientClass,
  type ClientEvents,
  type CommandAck,
  type CommandMessage,
  type CommandOutcome,
  type Cursor,
  type Drain,
  type Entry,
  type Frame,
  type Handshake,
  isPrivateChannel,
  type Mismatch,
  PROTOCOL_VERSION,
  type RefusalBody,
  type ServerEvents,
  type Shown,
  type SubscribeAck,
} from './wire.js';
