import type { MigrationClass } from '#libs/postgres';
import { Log1700000000001 } from './0001-log.js';
import { Projector1700000000002 } from './0002-projector.js';
import { Access1700000000003 } from './0003-access.js';
import { Kafka1700000000004 } from './0004-kafka.js';
import { DeadLetters1700000000005 } from './0005-dead-letters.js';
import { Restores1700000000006 } from './0006-restores.js';
import { AccessEnds1700000000007 } from './0007-access-ends.js';
import { GenerationActs1700000000008 } from './0008-generation-acts.js';
import { PackedHeaders1700000000009 } from './0009-packed-headers.js';

/** Tables that outlive every rebuild of the read models (schema `public`). Append only; each file is a class `Name<13 digits>`. */
export const permanentMigrations: readonly MigrationClass[] = [
  Log1700000000001,
  Projector1700000000002,
  Access1700000000003,
  Kafka1700000000004,
  DeadLetters1700000000005,
  Restores1700000000006,
  AccessEnds1700000000007,
  GenerationActs1700000000008,
  PackedHeaders1700000000009,
];
