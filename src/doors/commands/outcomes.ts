import type { Queryable } from '#libs/postgres';
import { type LiveGeneration, liveGeneration, type Outcome, outcomeOf } from '#libs/projector';

export interface KnownOutcome {
  /** Offset of the command's first event as first met. */
  readonly base: number;
  readonly outcome: Outcome;
  readonly because: string | null;
}

/** What became of a command, from the live generation; null: never met. */
export async function findOutcome(db: Queryable, conference: string, commandId: string): Promise<KnownOutcome | null> {
  const live: LiveGeneration | undefined = await liveGeneration(db);
  if (!live) return null;
  const { rows } = await db.query<{ base: string; applied: number; held: number; because: string | null }>(
    `select base, applied, held, because from ${live.schema}.applied_command where conference = $1 and command_id = $2`,
    [conference, commandId],
  );
  const row = rows[0];
  return row ? { base: Number(row.base), outcome: outcomeOf(row), because: row.because } : null;
}
