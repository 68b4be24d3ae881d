/** What the audit keeps of an event: who did what to which rows, personal columns left out. */
import type { LoggedEvent } from '#libs/event-log';
import type { Toucher } from './documents.js';
import type { AppliedChange } from './overlay.js';
import type { AuditWrite } from './plan.js';
import type { Row, RowTable } from './projection.js';

export interface Audited {
  readonly event: LoggedEvent;
  readonly by: Toucher;
  readonly changes: readonly AppliedChange[];
  readonly noEffect: string | null;
}

export const auditOf = ({ event, by, changes, noEffect }: Audited): AuditWrite => ({
  conference: event.conference,
  offset: Number(event.position.offset),
  at: event.time,
  type: event.type,
  subject: event.subject,
  actor: event.actor,
  actorRole: event.actorRole,
  reason: event.reason ?? null,
  commandId: event.commandId,
  traceparent: by.traceparent,
  noEffect,
  data: event.sealed,
  before: changes.flatMap(({ table, before }) => (before ? [impersonal(table, before)] : [])),
  after: changes.flatMap(({ table, after }) => (after ? [impersonal(table, after)] : [])),
});

const impersonal = (table: RowTable, row: Row): Row => ({
  table: table.name,
  ...Object.fromEntries(
    table.columns
      .filter((column) => !column.personal && column.property in row)
      .map(({ property }) => [property, row[property] ?? null]),
  ),
});
