import type { MigrationClass } from '#libs/postgres';

/** Tables that outlive every rebuild of the read models (schema `public`). Append only; each file is a class `Name<13 digits>`. */
export const permanentMigrations: readonly MigrationClass[] = [];
