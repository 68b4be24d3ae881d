import { setTimeout as wait } from 'node:timers/promises';
import type { Position } from '#libs/event-log';
import { type Queryable, quoteIdentifier } from '#libs/postgres';
import type { Generation } from './checkpoint.js';

/** The generation that is read. */
export type LiveGeneration = Generation;

const POLL_MS = 10;

/** undefined until the first build is switched to. */
export async function liveGeneration(db: Queryable): Promise<LiveGeneration | undefined> {
  const { rows } = await db.query<LiveGeneration>(
    `select id, schema_name as schema, projection_version as version, log_identity as "logIdentity"
     from public.generation where state = 'live'`,
  );
  return rows[0];
}

/** Waits until the event at `position` is folded and committed in the generation's schema. Answers false after `timeoutMs`. */
export async function whenProjected(
  db: Queryable,
  schema: string,
  { partition, offset }: Position,
  { timeoutMs }: { readonly timeoutMs: number },
): Promise<boolean> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const { rowCount } = await db.query(
      `select 1 from ${quoteIdentifier(schema)}.projection_checkpoint where partition = $1 and next_offset > $2`,
      [partition, offset],
    );
    if (rowCount === 1) return true;
    if (performance.now() >= end) return false;
    await wait(POLL_MS);
  }
}
