export { Fenced, type Generation, LEASE_SECONDS, LogMismatch } from './checkpoint.js';
export { groupByCommand } from './commands-of.js';
export { ProjectionFailed } from './documents.js';
export { type Outcome, type OutcomeEntry, outcomeOf, untyped } from './engine-tables.js';
export { type FoldInput, foldBatch } from './fold.js';
export {
  askForGeneration,
  dropGeneration,
  type GenerationInfo,
  generationBefore,
  listGenerations,
} from './generation-acts.js';
export { KeysMissing, type Projecting, startProjecting } from './generations.js';
export { createMemoryStore, type MemoryStore } from './memory-store.js';
export { type OlderPage, readOlder } from './older.js';
export { Overlay, UndeclaredRead } from './overlay.js';
export type { AuditWrite, BatchPlan, DocumentWrite, RowSource, RowWrite } from './plan.js';
export { projectorPool } from './pool.js';
export type {
  Column,
  DocumentRef,
  DocumentView,
  EventHandler,
  NoEffect,
  Projection,
  ProjectionSet,
  Row,
  RowChange,
  Rows,
  RowTable,
  Select,
  Value,
} from './projection.js';
export { createProjector, type PartitionStatus, type Projector, type ProjectorOptions } from './projector.js';
export type { ReleaseSlice } from './release.js';
export { type RowOf, tableOf } from './table-of.js';
export { type LiveGeneration, liveGeneration, whenProjected } from './when-projected.js';
