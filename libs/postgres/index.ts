export { answers } from './answers.js';
export { assertSessions, PooledConnection } from './direct.js';
export { FolderDamaged, isDiskFull } from './embedded/damage.js';
export { InstanceHeld } from './embedded/instance-lock.js';
export { type EmbeddedOptions, type EmbeddedPostgres, startEmbeddedPostgres } from './embedded/start.js';
export { EmbeddedUnavailable } from './embedded/unavailable.js';
export { isAboutOneDatum, isDataError, isTransient, mayBeAboutData, sqlState } from './errors.js';
export { databaseIdentity } from './identity.js';
export { type Lease, takeLease } from './lease.js';
export { type Listener, type ListenOptions, listen } from './listen.js';
export type { Logger } from './logger.js';
export { type MigrateOptions, type MigrationClass, migrate } from './migrate.js';
export { type Notifier, type NotifierOptions, notifier } from './notifier.js';
export {
  createPool,
  inTransaction,
  inTwoTrips,
  onConnection,
  type PoolOptions,
  type Queryable,
  type Statement,
} from './pool.js';
export { checkRestore, noticeRestore, type RestoreCheck, restoredAt, type Witnesses } from './restores.js';
export { quoteIdentifier, quoteLiteral } from './sql.js';
export { together } from './together.js';
export { inDatabaseTurn } from './turn.js';
