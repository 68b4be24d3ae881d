import { defineLimit } from '#libs/limits';
import { type Queryable, together } from '#libs/postgres';
import { liveGeneration, type Outcome, outcomeOf } from '#libs/projector';

export interface KnownOutcome {
  /** Offset of the command's first event as first met. */
  readonly base: number;
  readonly outcome: Outcome;
  readonly because: string | null;
  /** Of what was said; null: not known of commands in older logs. */
  readonly digest: string | null;
  readonly subject: string;
}

/** What became of a command, from the live generation; null: never met. */
export type FindOutcome = (conference: string, commandId: string) => Promise<KnownOutcome | null>;

interface Asked {
  readonly conference: string;
  readonly commandId: string;
}

interface Row {
  readonly base: string;
  readonly applied: number;
  readonly held: number;
  readonly because: string | null;
  readonly digest: string | null;
  readonly subject: string;
}

const MAX_AT_ONCE = defineLimit({
  name: 'commands.outcomes.statement',
  value: 100,
  unit: 'items',
  beyond: 'the next statement takes the rest',
});

/** Everybody who votes in one moment is told by one look. */
export function createOutcomes(db: Queryable): FindOutcome {
  const find = together((asked: readonly Asked[]) => findAll(db, asked), MAX_AT_ONCE);
  return (conference, commandId) => find({ conference, commandId });
}

async function findAll(db: Queryable, asked: readonly Asked[]): Promise<readonly (KnownOutcome | null)[]> {
  const live = await liveGeneration(db);
  if (!live) return asked.map(() => null);
  const { rows } = await db.query<Row & { conference: string; command_id: string }>(
    // `limit 1` keeps the planner, which knows nothing of the arrays, from reading the whole table.
    `select a.* from unnest($1::text[], $2::uuid[]) as g(conference, command_id) cross join lateral (
       select conference, command_id, base, applied, held, because, digest, subject from ${live.schema}.applied_command c
       where c.conference = g.conference and c.command_id = g.command_id limit 1) a`,
    [asked.map(({ conference }) => conference), asked.map(({ commandId }) => commandId)],
  );
  const known = new Map(rows.map((row) => [`${row.conference} ${row.command_id}`, row]));
  return asked.map(({ conference, commandId }) => {
    const row = known.get(`${conference} ${commandId}`);
    if (!row) return null;
    const { because, digest, subject } = row;
    return { base: Number(row.base), outcome: outcomeOf(row), because, digest, subject };
  });
}
