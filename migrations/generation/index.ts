import type { MigrationClass } from '#libs/postgres';
import { Feed1700000000101 } from './0001-feed.js';
import { Conference1700000000102 } from './0002-conference.js';
import { Discussions1700000000103 } from './0003-discussions.js';
import { Updates1700000000104 } from './0004-updates.js';
import { Membership1700000000105 } from './0005-membership.js';

/** Tables of one generation of read models, run in its schema when it is made. */
export const generationMigrations: readonly MigrationClass[] = [
  Feed1700000000101,
  Conference1700000000102,
  Discussions1700000000103,
  Updates1700000000104,
  Membership1700000000105,
];
