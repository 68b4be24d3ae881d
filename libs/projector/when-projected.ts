import { setTimeout as sleep } from 'node:timers/promises';
import type { Position } from '#libs/event-log';
import type { Queryable } from '#libs/postgres';
import { checkpointTable } from './checkpoint.js';

const POLL_MS = 10;

/** Waits until the event at `position` is folded and committed in the generation's schema. Answers false after `timeoutMs`. */
export async function whenProjected(
  pool: Queryable,
  schema: string,
  { partition, offset }: Position,
  { timeoutMs }: { readonly timeoutMs: number },
): Promise<boolean> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const { rowCount } = await pool.query(
      `select 1 from ${checkpointTable(schema)} where partition = $1 and next_offset > $2`,
      [partition, offset],
    );
    if (rowCount === 1) return true;
    if (Date.now() >= end) return false;
    await sleep(POLL_MS);
  }
}
