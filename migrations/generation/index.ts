import type { MigrationClass } from '#libs/postgres';

/** Tables of one generation of the read models, made anew in its own schema by each rebuild. */
export const generationMigrations: readonly MigrationClass[] = [];
