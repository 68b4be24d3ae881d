/** Reads the audit: what the projector wrote of every act of moderation and organization, in the transaction of the act itself (I2). */

import { z } from 'zod';
import { defineLimit } from '#libs/limits';
import { type Queryable, quoteIdentifier } from '#libs/postgres';
import { inverseOf } from '../../conference/inverse-commands.js';

const MAX_LIMIT = defineLimit({
  name: 'http.audit.page',
  value: 200,
  unit: 'entries',
  beyond: 'the rest is on the next page',
});

export const auditQuery = z.object({
  before: z.coerce.number().int().min(0).optional().describe('only entries before this position'),
  limit: z.coerce.number().int().min(1).max(MAX_LIMIT).default(50),
  subject: z.string().max(200).optional().describe('id of what was acted on'),
  actor: z.string().max(200).optional(),
});

const rows = z.array(z.record(z.string(), z.unknown()));
const command = z.object({ type: z.string(), data: z.record(z.string(), z.unknown()) });

/** One act, as it leaves the door. */
export const auditEntry = z
  .object({
    position: z.int().describe('of the event in its partition of the log'),
    at: z.iso.datetime().describe('UTC'),
    type: z.string().describe('of the event'),
    subject: z.string().describe('id of what was acted on'),
    actor: z.string(),
    role: z.string(),
    reason: z.string().nullable(),
    before: rows.describe('rows as they were, each with its table, without what people wrote or are called'),
    after: rows.describe('the same rows as they became'),
    noEffect: z.string().nullable().describe('why it changed nothing; null: it did'),
    trace: z.string().nullable().describe('OpenTelemetry trace id'),
    inverse: command.nullable().describe('the command that takes it back; null: there is none'),
  })
  .meta({ id: 'AuditEntry' });
/** Without personal texts (I14). */
export type AuditEntry = Readonly<z.infer<typeof auditEntry>>;

export const auditPage = z.object({
  entries: z.array(auditEntry).readonly().describe('newest first'),
  before: z.int().nullable().describe('ask for what is before it; null: there is nothing older'),
});
export type AuditPage = Readonly<z.infer<typeof auditPage>>;

export interface AuditQuery {
  readonly conference: string;
  /** Only entries before this position. */
  readonly before: number | null;
  readonly subject: string | null;
  readonly actor: string | null;
  readonly limit: number;
}

interface Row extends Pick<AuditEntry, 'type' | 'subject' | 'actor' | 'reason' | 'before' | 'after'> {
  readonly offset: string;
  readonly at: Date;
  readonly actor_role: string;
  readonly traceparent: string | null;
  readonly no_effect: string | null;
  readonly data: { readonly reason?: unknown };
}

/** Newest first. */
export async function readAudit(db: Queryable, schema: string, query: AuditQuery): Promise<readonly AuditEntry[]> {
  const { conference, before, subject, actor, limit } = query;
  const { rows } = await db.query<Row>(
    `select "offset", at, type, subject, actor, actor_role, reason, traceparent, no_effect, data, before, after
     from ${quoteIdentifier(schema)}.audit_entry
     where conference = $1 and ($2::bigint is null or "offset" < $2) and ($3::text is null or subject = $3)
       and ($4::text is null or actor = $4)
     order by "offset" desc limit $5`,
    [conference, before, subject, actor, limit],
  );
  return rows.map(entryOf);
}

function entryOf(row: Row): AuditEntry {
  const { type, subject, actor, before, after } = row;
  // A dismissal's reason is part of the act; a reason given with any command stands beside it.
  const reason = row.reason ?? (typeof row.data.reason === 'string' ? row.data.reason : null);
  return {
    position: Number(row.offset),
    at: row.at.toISOString(),
    type,
    subject,
    actor,
    role: row.actor_role,
    reason,
    before,
    after,
    noEffect: row.no_effect,
    trace: row.traceparent?.split('-')[1] ?? null,
    inverse: row.no_effect === null ? inverseOf({ type, subject, before, after }) : null,
  };
}

/** All entries, in pages: an export of a long conference must not be held in memory. */
export async function* readWholeAudit(
  read: <T>(query: (db: Queryable, schema: string) => Promise<T>) => Promise<T>,
  conference: string,
): AsyncGenerator<AuditEntry> {
  for (let before: number | null = null; ; ) {
    const from: number | null = before;
    const page: readonly AuditEntry[] = await read((db, schema) =>
      readAudit(db, schema, { conference, before: from, subject: null, actor: null, limit: 500 }),
    );
    yield* page;
    const last = page.at(-1);
    if (!last || page.length < 500) return;
    before = last.position;
  }
}
