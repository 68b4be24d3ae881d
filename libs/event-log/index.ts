export { CommandTooLarge, decodeRecord, encodeCommand, MAX_COMMAND_BYTES, MAX_EVENTS } from './codec.js';
export { canonicalJson, digestOf } from './digest.js';
export type {
  Command,
  DecodeFailure,
  Envelope,
  EventCatalog,
  EventType,
  Json,
  JsonObject,
  LoggedEvent,
  NewEvent,
  PersonalField,
} from './envelope.js';
export { MAX_ATTRIBUTE_BYTES, MAX_NAME_BYTES, MAX_TIME } from './envelope-header.js';
export { commandIdOf, eventIdOf } from './ids.js';
export {
  createJournal,
  type DecodedRecord,
  type EventReader,
  InvalidEvent,
  type Journal,
  MAX_KEYS,
  UnstorableEvent,
} from './journal.js';
export type { KafkaConnection } from './kafka/client.js';
export {
  type GroupReader,
  type GroupReaderOptions,
  type GroupReaderStatus,
  type Later,
  readGroup,
} from './kafka/group-reader.js';
export type { IncomingRecord } from './kafka/incoming-record.js';
export { createKafkaLog, type KafkaLogOptions } from './kafka/kafka-log.js';
export { makeTopic, type PlainTopic } from './kafka/make-topic.js';
export { readPin } from './kafka/pin.js';
export { produceAgain } from './kafka/produce-again.js';
export { type SetUpResult, setUpTopic, type TopicSpec } from './kafka/set-up.js';
export { LANE_WEIGHTS, LANES, type Lane, LaneQueue } from './lanes.js';
export { createMemoryLog } from './memory/memory-log.js';
export { murmur2, partitionOf, VERSION_BUCKET_BITS } from './partition.js';
export {
  type EventLog,
  type LogBatch,
  LogChanged,
  type LogRecord,
  type LogSubscription,
  LogUnavailable,
  type PartitionConsumer,
  type Position,
  type RecordToAppend,
  type SubscriptionStatus,
  type Watermarks,
} from './port.js';
export { logHints } from './postgres/hints.js';
export { createPostgresLog, LOG_CHANNEL, renewIncarnation } from './postgres/postgres-log.js';
export { createMemoryKeys, SubjectErased, type SubjectKeys } from './sealing/keys.js';
export { createPostgresKeys } from './sealing/postgres-keys.js';
export { ERASED, eraseFields, subjectsOf } from './sealing/seal.js';
