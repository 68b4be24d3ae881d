/**
 * What a projection is: pure functions from (rows, event) to row changes, and from rows to documents.
 *
 * No clock, no random, no I/O. A projection sees only rows of the event's own conference: `conference` is the first primary key
 * column of every table and is filled in by the projector, never by a projection.
 */
import type { JsonObject, LoggedEvent } from '#libs/event-log';

export type Value = string | number | boolean | null | object;
/** A row as a projection sees it: property names of the entity, without `conference`. Instants are RFC 3339 strings. */
export type Row = { readonly [property: string]: Value };

/** A read-model table; made from a TypeORM entity by `tableOf(Entity)`. */
export interface RowTable<R extends Row = Row> {
  readonly name: string;
  /** Primary key properties, without `conference`. */
  readonly key: readonly (keyof R & string)[];
  readonly columns: readonly Column[];
}

export interface Column {
  readonly property: string;
  readonly column: string;
  /** Postgres type, as used in `unnest($n::type[])`: text, integer, bigint, boolean, timestamptz, jsonb … */
  readonly type: string;
  /** Holds what somebody wrote or is called: never copied into the audit in the clear. */
  readonly personal: boolean;
}

/** All rows of a table whose properties equal the given values (a full primary key selects at most one). */
export interface Select<R extends Row = Row> {
  readonly table: RowTable<R>;
  readonly where: Partial<R>;
}

/** The rows that were declared by `reads`. Asking for others is a bug and throws `UndeclaredRead`. */
export interface Rows {
  get<R extends Row>(table: RowTable<R>, key: Partial<R>): R | undefined;
  /** In order of primary key. */
  all<R extends Row>(table: RowTable<R>, where: Partial<R>): readonly R[];
}

export type RowChange =
  | { readonly table: RowTable; readonly put: Row }
  | { readonly table: RowTable; readonly remove: Row };

/** The event does not apply; nothing changes and its sender reads why. */
export interface NoEffect {
  readonly noEffect: string;
}

export interface EventHandler {
  /**
   * What `fold` will read. Called with the rows known so far (missing ones read as undefined), again after more were loaded,
   * until it asks for nothing new: a second row may be found through a first.
   */
  reads(event: LoggedEvent, rows: Rows): readonly Select[];
  fold(event: LoggedEvent, rows: Rows): readonly RowChange[] | NoEffect;
}

/** Where a document is shown. `key` is `<kind>/<id>`. */
export interface DocumentRef {
  readonly channel: string;
  readonly key: string;
}

export interface ShownTable {
  readonly table: RowTable;
  readonly refs: (row: Row) => readonly DocumentRef[];
  /** The only columns that `refs` and the body read: a change of others touches no document. Default: all. */
  readonly columns?: readonly string[];
}

/**
 * How documents are derived from rows. The engine touches a document whenever a row changes that it shows before or after
 * the change: no projection can forget to.
 */
export interface DocumentView {
  readonly kind: string;
  /** For each table the body depends on: which documents of this kind show a given row (none while it is not to be seen). */
  readonly shows: readonly ShownTable[];
  reads(ref: DocumentRef, rows: Rows): readonly Select[];
  /** null: there is no such document (any more): a tombstone. Must read only rows whose `refs` include `ref`. */
  render(ref: DocumentRef, rows: Rows): JsonObject | null;
  /** At most so many documents of this kind per channel; the one that entered first leaves first, as a tombstone. */
  readonly window?: number;
}

export interface Projection {
  readonly name: string;
  readonly tables: readonly RowTable[];
  /** By event type. Several projections may handle one type. */
  readonly on: Readonly<Record<string, EventHandler>>;
  readonly documents: readonly DocumentView[];
}

/** Everything the projector must know of what it projects. */
export interface ProjectionSet {
  /** Hash of the built projections: another one means another generation. */
  readonly version: string;
  readonly projections: readonly Projection[];
  /** Event types that are written to the audit. */
  readonly audited: ReadonlySet<string>;
  /** The type that erases a subject (`data.subject` names it); the engine folds it into the erased set. */
  readonly erasure: string;
  /** The type by which an operator drops a parked event (`data.offset`). */
  readonly skip: string;
  /** Channels in which the "held since" document of a parked stream appears. */
  heldChannels(stream: string): readonly string[];
}
