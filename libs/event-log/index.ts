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
export {
  type EventLog,
  type LogBatch,
  type LogRecord,
  type LogSubscription,
  LogUnavailable,
  type PartitionConsumer,
  type Position,
  type RecordToAppend,
  type Watermarks,
} from './port.js';
