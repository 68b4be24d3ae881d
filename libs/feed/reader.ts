import { performance } from 'node:perf_hooks';
import type pg from 'pg';
import { partitionOf, VERSION_BUCKET_BITS } from '#libs/event-log';
import { defineLimit } from '#libs/limits';
import { checkRestore, type Logger, noticeRestore, quoteIdentifier, sqlState } from '#libs/postgres';
import type { FoldedCommand } from './awaited-outcomes.js';
import type { StoredDocument } from './channel-state.js';
import { epochOf } from './epoch.js';
import type { HistoryEntry } from './history.js';

interface Generation {
  readonly id: string;
  readonly schema: string;
  readonly logIdentity: string;
}

export interface Asked {
  readonly conference: string;
  /** Documents with a version after this; −1: all. */
  readonly cursor: number;
  /** Commands whose outcome is wanted. */
  readonly awaited?: readonly string[];
}

export interface Answer {
  readonly head: number;
  readonly floor: number;
  /** Milliseconds since 1970 by the database's clock: the pipeline was complete up to here. */
  readonly asOf: number;
  /** In order of version. */
  readonly documents: StoredDocument[];
  /** Heads and proofs from the cursor on, in order; of a whole reading, all that are kept. */
  readonly history: HistoryEntry[];
  /** Of the commands asked for, those that are folded. */
  readonly folded: Map<string, FoldedCommand>;
}

/** What one statement saw. */
export interface Reading {
  readonly epoch: string;
  /** The part of it that a restore changes. */
  readonly nonce: string;
  /** The database's clock at the reading, milliseconds since 1970. */
  readonly databaseNow: number;
  /** Monotonic milliseconds from before the statement was sent, so that ages err to the older side. */
  readonly sentAt: number;
  /** Without those that the live generation does not know. */
  readonly answers: ReadonlyMap<string, Answer>;
}

/** There is no live generation (yet). */
export class NoGeneration extends Error {
  override readonly name = 'NoGeneration';
}

/** undefined_table, invalid_schema_name: the generation was dropped under the statement. */
const SCHEMA_GONE = new Set(['42P01', '3F000']);
const LIVE = `select id::text as generation, schema_name, log_identity,
  (select nonce::text from public.feed_epoch) as nonce,
  pg_backend_pid() || '/' || extract(epoch from pg_postmaster_start_time()) || '/' || 'public.log_head'::regclass::oid as seat
  from public.generation where state = 'live' order by id desc limit 1`;
/** Connections remembered as checked; a pool has a few, and idle ones are replaced. */
const MAX_SEATS = defineLimit({
  name: 'feed.connections.checked',
  value: 64,
  unit: 'connections',
  beyond: 'the connection is checked again',
});

interface ReadRow {
  readonly generation: string;
  readonly schema_name: string;
  readonly log_identity: string;
  readonly nonce: string;
  /** Another one: another connection, another server, or tables that were made again. */
  readonly seat: string;
  readonly now: string;
  readonly conference: string | null;
  readonly head: string | null;
  readonly floor: string;
  readonly as_of: string;
  readonly channel: string | null;
  /** Of an outcome: the command's id; then the version is its base, and the body the rest of it. Of history: null, the version is a head. */
  readonly key: string | null;
  /** Of history: the proof. */
  readonly mark: string;
  readonly version: string;
  readonly body: string | null;
  readonly traceparent: string | null;
  readonly appended_at: string;
}

export interface Listing {
  /** `performance.now()`. */
  readonly sentAt: number;
  readonly names: ReadonlySet<string>;
  /** Whatever was appended to the conference's partition before (`performance.now()`) is folded. */
  foldedUntil(conference: string): number;
}

/** Reads the live generation of the read models on the primary. */
export class FeedReader {
  /** SQL statements sent, for tests that count them. */
  statements = 0;
  readonly #db: pg.Pool;
  readonly #logger: Logger;
  readonly #seats = new Set<string>();
  readonly #partitions: number;
  #generation: Generation | undefined;

  constructor(db: pg.Pool, partitions: number, logger: Logger) {
    this.#db = db;
    this.#logger = logger;
    this.#partitions = partitions;
  }

  /**
   * Epoch, heads, floors, ages and documents in one statement, thus of one moment. A generation switched since the last
   * reading shows in the same statement, which is then repeated on the new one.
   * @param limit most documents per conference; null: all
   * @throws NoGeneration; errors of the database
   */
  async read(asked: readonly Asked[], limit: number | null): Promise<Reading> {
    for (let attempt = 1; ; attempt++) {
      const generation = this.#generation ?? (await this.#discover());
      const sentAt = performance.now();
      const rows = await this.#ask(generation, asked, limit).catch((error: unknown) => {
        if (attempt >= 3 || !SCHEMA_GONE.has(sqlState(error) ?? '')) throw error;
        return undefined;
      });
      const [first] = rows ?? [];
      if (rows && !first) throw this.#none();
      if (rows && first && first.generation === generation.id && first.schema_name === generation.schema) {
        const nonce = await this.#nonceBehind(first);
        if (nonce !== first.nonce && attempt < 3) continue; // What was read may be of before the restore that was noticed now.
        const epoch = epochOf(first.log_identity, first.generation, nonce);
        return { epoch, nonce, databaseNow: Number(first.now), sentAt, answers: answersOf(rows) };
      }
      this.#generation = undefined;
      if (attempt >= 3) throw this.#none();
    }
  }

  /** A restore that only the history shows. Renewed once, however many processes see it. @throws errors of the database */
  async noticeRestore({ nonce }: Reading): Promise<void> {
    this.statements++;
    await noticeRestore(this.#db, nonce, 'history');
  }

  /** Rows of a table of the live generation. @throws errors of the database */
  async select<R extends pg.QueryResultRow>(
    text: (schema: string) => string,
    values: unknown[],
  ): Promise<readonly R[]> {
    const { schema } = this.#generation ?? (await this.#discover());
    this.statements++;
    return (await this.#db.query<R>(text(quoteIdentifier(schema)), values)).rows;
  }

  /** Of the live generation, in one statement, thus of one moment. @throws as `read` */
  async conferences(): Promise<Listing> {
    const schema = quoteIdentifier((this.#generation ?? (await this.#discover())).schema);
    this.statements++;
    const sentAt = performance.now();
    try {
      const { rows } = await this.#db.query<{ names: readonly string[]; ages: Readonly<Record<number, number>> }>(
        `select (select coalesce(json_agg(conference order by conference), '[]') from ${schema}.feed_head) as names,
           (select coalesce(json_object_agg(partition, extract(epoch from clock_timestamp() - as_of) * 1000), '{}')
            from ${schema}.projection_checkpoint where as_of is not null) as ages`,
      );
      const { names = [], ages = {} } = rows[0] ?? {};
      // Its age was told after it was asked for: what is said here is never too late.
      const foldedUntil = (conference: string) =>
        sentAt - (ages[partitionOf(conference, this.#partitions)] ?? Number.POSITIVE_INFINITY);
      return { sentAt, names: new Set(names), foldedUntil };
    } catch (error) {
      this.#generation = undefined; // it may have been dropped; the next call looks again
      throw error;
    }
  }

  /** Over a connection that was not seen before, it may be another database (S14): compared once, then as the statement tells it. */
  async #nonceBehind({ nonce, seat }: ReadRow): Promise<string> {
    if (this.#seats.has(seat)) return nonce;
    // Not counted: it belongs to the connection and to no reading.
    const checked = await checkRestore(this.#db);
    const { seenBy } = checked;
    if (seenBy.length > 0)
      this.#logger.warn({ seenBy }, 'the database was restored or promoted; the feed has another epoch');
    if (this.#seats.size >= MAX_SEATS) this.#seats.clear();
    this.#seats.add(seat);
    return checked.nonce;
  }

  #none(): NoGeneration {
    this.#generation = undefined;
    return new NoGeneration('no generation of the read models is live');
  }

  async #discover(): Promise<Generation> {
    this.statements++;
    const { rows } = await this.#db.query<ReadRow>(LIVE);
    const [row] = rows;
    if (!row) throw this.#none();
    this.#generation = { id: row.generation, schema: row.schema_name, logIdentity: row.log_identity };
    return this.#generation;
  }

  async #ask(generation: Generation, asked: readonly Asked[], limit: number | null): Promise<readonly ReadRow[]> {
    this.statements++;
    const schema = quoteIdentifier(generation.schema);
    const { rows } = await this.#db.query<ReadRow>({
      // Planned once per connection: planning was half of a reading. What loads all of a conference is planned for it.
      ...(limit === null ? {} : { name: `tail ${generation.schema}` }),
      text: `with live as (${LIVE})
       select live.*, extract(epoch from clock_timestamp()) * 1000 as now, h.conference, h.head, h.floor,
         coalesce(extract(epoch from c.as_of) * 1000, 0) as as_of, d.*
       from live
       left join unnest($1::text[], $2::bigint[], $3::int[]) as a(conference, cursor, partition) on true
       left join ${schema}.feed_head h on h.conference = a.conference
       left join ${schema}.projection_checkpoint c on c.partition = a.partition
       left join lateral (
         select channel, key, version, body::text as body, traceparent,
           extract(epoch from appended_at) * 1000 as appended_at, mark
         from ${schema}.feed_document
         where conference = h.conference and bucket >= a.cursor >> ${VERSION_BUCKET_BITS} and version > a.cursor
           and version <= h.head
         order by bucket, version limit $4
       ) d on true
       union all
       select live.*, extract(epoch from clock_timestamp()) * 1000, f.conference, null, null, 0, null, f.command_id::text, f.base,
         json_build_array(f.applied, f.held, f.because)::text, null, 0, null
       from live cross join unnest($5::text[], $6::uuid[]) as w(conference, command_id)
       cross join lateral (
         select conference, command_id, base, applied, held, because from ${schema}.applied_command c
         where c.conference = w.conference and c.command_id = w.command_id limit 1
       ) f
       union all
       select live.*, extract(epoch from clock_timestamp()) * 1000, p.conference, null, null, 0, null, null, p.head, null, null, 0, p.proof
       from live cross join unnest($1::text[], $2::bigint[]) as a(conference, cursor)
       cross join lateral (
         select conference, head, to_hex(proof) as proof from ${schema}.feed_history
         where conference = a.conference and head >= a.cursor order by head
       ) p`,
      values: [
        asked.map(({ conference }) => conference),
        asked.map(({ cursor }) => cursor),
        asked.map(({ conference }) => partitionOf(conference, this.#partitions)),
        limit,
        asked.flatMap(({ conference, awaited = [] }) => awaited.map(() => conference)),
        asked.flatMap(({ awaited = [] }) => awaited),
      ],
    });
    return rows;
  }
}

function answersOf(rows: readonly ReadRow[]): ReadonlyMap<string, Answer> {
  const answers = new Map<string, Answer>();
  for (const row of rows) {
    if (row.conference === null || row.head === null) continue;
    let answer = answers.get(row.conference);
    if (!answer) {
      answer = {
        head: safe(row.head),
        floor: safe(row.floor),
        asOf: Number(row.as_of),
        documents: [],
        history: [],
        folded: new Map(),
      };
      answers.set(row.conference, answer);
    }
    const { channel, key, version, mark, body: json, traceparent } = row;
    // Documents are ordered within the lateral part; a join on one outer row keeps that order, the sort below does not rely on it.
    if (channel !== null && key !== null)
      answer.documents.push({
        channel,
        key,
        version: safe(version),
        mark,
        json,
        traceparent,
        appendedAt: Number(row.appended_at),
      });
  }
  for (const row of rows) {
    if (row.conference === null || row.head !== null) continue;
    const answer = answers.get(row.conference);
    if (row.key === null) {
      answer?.history.push([safe(row.version), row.mark]);
      continue;
    }
    const [applied, held, because] = JSON.parse(row.body ?? '[]') as [number, number, string | null];
    answer?.folded.set(row.key, { base: safe(row.version), applied, held, because });
  }
  for (const { documents, history } of answers.values()) {
    documents.sort((a, b) => a.version - b.version);
    history.sort(([a], [b]) => a - b);
  }
  return answers;
}

function safe(bigint: string): number {
  const value = Number(bigint);
  if (!Number.isSafeInteger(value)) throw new RangeError(`offset ${bigint} is beyond what the wire can carry`);
  return value;
}
