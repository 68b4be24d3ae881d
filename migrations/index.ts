/** Hand-kept lists of the schema's migrations, in order; TypeORM runs them (libs/postgres/migrate.ts). */
export { generationMigrations } from './generation/index.js';
export { permanentMigrations } from './permanent/index.js';
