export { InstanceHeld } from './embedded/instance-lock.js';
export { type EmbeddedOptions, type EmbeddedPostgres, startEmbeddedPostgres } from './embedded/start.js';
export { EmbeddedUnavailable } from './embedded/unavailable.js';
export { isDataError, isTransient, sqlState } from './errors.js';
export type { Logger } from './logger.js';
export { type MigrateOptions, type MigrationClass, migrate } from './migrate.js';
export { createPool, inTransaction, type PoolOptions, type Queryable } from './pool.js';
export { quoteIdentifier } from './sql.js';
