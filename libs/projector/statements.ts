/** A plan as SQL: one statement per table, over `unnest` arrays. */
import { MAX_TIME, VERSION_BUCKET_BITS } from '#libs/event-log';
import type { Statement } from '#libs/postgres';
import type { Generation } from './checkpoint.js';
import { proofAfterSql } from './history-chain.js';
import type { BatchPlan, RowWrite } from './plan.js';
import { remove, upsert } from './sql.js';
import { plain } from './unfoldable.js';

/** Where a log that is no Kafka topic says its records lay. */
export const EVENTS_TOPIC = 'conference.events';

/** Everything a plan changes but its checkpoint. */
export function* statementsOf(plan: BatchPlan, generation: Generation, topic = EVENTS_TOPIC): Iterable<Statement> {
  for (const writes of byTable(plan.rows)) {
    const table = writes[0]?.table;
    if (!table) continue;
    const puts = writes.flatMap(({ conference, row }) => (row ? [{ conference, row }] : []));
    const removals = writes.flatMap(({ conference, key, row }) => (row ? [] : [{ conference, row: key }]));
    if (removals.length > 0) yield remove(table, removals);
    if (puts.length > 0) yield upsert(table, puts);
  }
  if (plan.documents.length > 0) yield documents(plan);
  if (plan.audit.length > 0) yield audit(plan);
  yield* heads(plan);
  if (plan.skipped.length > 0) yield skipped(plan, generation);
  if (plan.erased.length > 0) yield erased(plan);
  if (plan.deadLetters.length > 0) yield* deadLetters(plan, generation, topic);
}

function byTable(rows: readonly RowWrite[]): Iterable<RowWrite[]> {
  const groups = new Map<string, RowWrite[]>();
  for (const write of rows) {
    const group = groups.get(write.table.name);
    if (group) group.push(write);
    else groups.set(write.table.name, [write]);
  }
  return groups.values();
}

const documents = ({ documents: written }: BatchPlan): Statement => ({
  name: 'documents',
  text: `insert into feed_document (conference, channel, key, version, body, traceparent, appended_at, mark, bucket, is_tombstone)
    select c, h, k, v, b, t, a, m, v >> ${VERSION_BUCKET_BITS}, b is null
    from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::json[], $6::text[], $7::timestamptz[], $8::text[]) as u(c, h, k, v, b, t, a, m)
    on conflict (conference, channel, key) do update set version = excluded.version, mark = excluded.mark, body = excluded.body, traceparent = excluded.traceparent,
      appended_at = excluded.appended_at, bucket = excluded.bucket, is_tombstone = excluded.is_tombstone`,
  values: [
    written.map(({ conference }) => conference),
    written.map(({ channel }) => channel),
    written.map(({ key }) => key),
    written.map(({ version }) => version),
    written.map(({ body }) => (body === null ? null : JSON.stringify(body))),
    written.map(({ traceparent }) => traceparent),
    written.map(({ appendedAt }) => appendedAt),
    written.map(({ mark }) => mark),
  ],
});

const audit = ({ audit: written }: BatchPlan): Statement => ({
  name: 'audit',
  text: `insert into audit_entry (conference, "offset", at, type, subject, actor, actor_role, reason, command_id, traceparent, no_effect, data, before, after)
    select * from unnest($1::text[], $2::bigint[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::uuid[], $10::text[],
      $11::text[], $12::jsonb[], $13::jsonb[], $14::jsonb[])
    on conflict do nothing`,
  values: [
    written.map(({ conference }) => conference),
    written.map(({ offset }) => offset),
    written.map(({ at }) => at),
    written.map(({ type }) => type),
    written.map(({ subject }) => subject),
    written.map(({ actor }) => actor),
    written.map(({ actorRole }) => actorRole),
    written.map(({ reason }) => reason),
    written.map(({ commandId }) => commandId),
    written.map(({ traceparent }) => traceparent),
    written.map(({ noEffect }) => noEffect),
    written.map(({ data }) => JSON.stringify(data)),
    written.map(({ before }) => JSON.stringify(before)),
    written.map(({ after }) => JSON.stringify(after)),
  ],
});

/**
 * Heads with their proofs, and the history by which a cursor is judged: a row per commit and conference. One statement each: a batch is
 * mostly of one conference, and for one an upsert costs half of what a join with arrays does.
 */
function* heads({ heads: written, chain, partition }: BatchPlan): Iterable<Statement> {
  for (const [conference, head] of written) {
    const { factor = 1n, addend = 0n } = chain.get(conference) ?? {};
    yield { name: 'head', text: HEAD, values: [conference, partition, head, String(factor), String(addend)] };
  }
}

const HEAD = `with moved as (
    insert into feed_head as h (conference, partition, head, proof)
    values ($1, $2, $3, ${proofAfterSql('0', '$4::numeric', '$5::numeric')})
    on conflict (conference) do update set head = excluded.head, proof = ${proofAfterSql('h.proof', '$4::numeric', '$5::numeric')}
    returning conference, head, proof
  )
  insert into feed_history (conference, head, proof) select * from moved`;

const skipped = ({ skipped: written }: BatchPlan, generation: Generation): Statement => ({
  text: `insert into public.skipped_event (conference, "offset", log_identity, by_actor, at)
    select c, o, $5, b, a from unnest($1::text[], $2::bigint[], $3::text[], $4::timestamptz[]) as u(c, o, b, a) on conflict do nothing`,
  values: [
    written.map(({ conference }) => conference),
    written.map(({ offset }) => offset),
    written.map(({ by }) => by),
    written.map(({ at }) => at),
    generation.logIdentity,
  ],
});

/**
 * A subject that never wrote anything gets an emptied row too: it is refused ever after. Each row once, or Postgres refuses the statement;
 * sorted like `make-keys`, or the two wait for each other's rows crosswise.
 */
const erased = ({ erased: written }: BatchPlan): Statement => ({
  text: `insert into public.subject_key (conference, subject, key_id, key, erased_at)
    select c, s, gen_random_uuid(), null, min(a) from unnest($1::text[], $2::text[], $3::timestamptz[]) as u(c, s, a)
    group by c, s order by c, s
    on conflict (conference, subject) do update set key = null, erased_at = coalesce(subject_key.erased_at, excluded.erased_at)`,
  values: [
    written.map(({ conference }) => conference),
    written.map(({ subject }) => subject),
    written.map(({ at }) => at),
  ],
});

/**
 * Rare, and of ragged arrays: one statement each. It is the last resort (D1), so it takes any record: keys and names are bytes (as text
 * Postgres would refuse a NUL), and a time that Postgres cannot hold is cut to the nearest one that it can.
 */
function* deadLetters(
  { deadLetters: written, partition }: BatchPlan,
  generation: Generation,
  topic: string,
): Iterable<Statement> {
  for (const { record, reason } of written) {
    yield {
      text: `insert into public.dead_letter (topic, partition, "offset", log_identity, reason, key, header_names, header_values, value, time)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, to_timestamp($10::float8 / 1000.0)) on conflict do nothing`,
      values: [
        topic,
        partition,
        record.offset.toString(),
        generation.logIdentity,
        plain(reason),
        record.key === null ? null : Buffer.from(record.key),
        [...record.headers.keys()].map((name) => Buffer.from(name)),
        [...record.headers.values()],
        record.value,
        Math.min(Math.max(Number.isFinite(record.timestamp) ? record.timestamp : 0, 0), MAX_TIME),
      ],
    };
  }
}
