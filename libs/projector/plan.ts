/** The seam between the pure half (fold.ts: events → plan) and the effect half (write-batch.ts: plan → one transaction). */
import type { JsonObject, LogRecord } from '#libs/event-log';
import type { ChainStep } from './history-chain.js';
import type { Row, RowTable, Select } from './projection.js';

export interface LoadedRows {
  readonly conference: string;
  readonly table: RowTable;
  readonly rows: readonly Row[];
}

export interface ConferenceSelect {
  readonly conference: string;
  readonly select: Select;
}

/** Reads the rows of all selects, one statement per table and set of columns. On Postgres in row-source.ts, on maps in memory-store.ts. */
export interface RowSource {
  load(selects: readonly ConferenceSelect[]): Promise<readonly LoadedRows[]>;
}

/** Final row of a key in this batch; null: delete it. */
export interface RowWrite {
  readonly conference: string;
  readonly table: RowTable;
  readonly key: Row;
  readonly row: Row | null;
}

export interface DocumentWrite {
  readonly conference: string;
  readonly channel: string;
  readonly key: string;
  /** Offset of the event that touched it last; a safe integer (checked). */
  readonly version: number;
  /** Of that event (`markOf`). */
  readonly mark: string;
  readonly body: JsonObject | null;
  readonly traceparent: string | null;
  /**
   * When the first event of this batch that touched it was appended, ISO 8601: how long the longest waited. A time of the road and no part
   * of the document; another split of the log gives another (I3 is about bodies and versions).
   */
  readonly appendedAt: string;
}

export interface AuditWrite {
  readonly conference: string;
  readonly offset: number;
  readonly at: string;
  readonly type: string;
  readonly subject: string;
  readonly actor: string;
  readonly actorRole: string;
  readonly reason: string | null;
  readonly commandId: string;
  readonly traceparent: string | null;
  /** null: it applied. */
  readonly noEffect: string | null;
  /** Sealed, as in the log: an erased subject's texts end here too. */
  readonly data: JsonObject;
  /** Rows before and after, personal columns left out. */
  readonly before: readonly Row[];
  readonly after: readonly Row[];
}

export interface DeadLetterWrite {
  readonly reason: string;
  readonly record: LogRecord;
}

/** What one batch of one partition changes; committed whole or not at all (I2). */
export interface BatchPlan {
  readonly partition: number;
  /** The checkpoint must stand here … */
  readonly expected: bigint;
  /** … and stands here afterwards. */
  readonly next: bigint;
  /** A slice of a release that is not the last: the checkpoint stays. */
  readonly unfinished: boolean;
  readonly rows: readonly RowWrite[];
  readonly documents: readonly DocumentWrite[];
  readonly audit: readonly AuditWrite[];
  /** For the permanent table: every later build skips these too. */
  readonly skipped: readonly {
    readonly conference: string;
    readonly offset: number;
    readonly by: string;
    readonly at: string;
  }[];
  /** Subjects whose keys are emptied in the same transaction (I14). */
  readonly erased: readonly { readonly conference: string; readonly subject: string; readonly at: string }[];
  readonly deadLetters: readonly DeadLetterWrite[];
  /** New head per conference met in this batch; events without effect and parked ones count. */
  readonly heads: ReadonlyMap<string, number>;
  /** What the same events do to the proof of history of each. */
  readonly chain: ReadonlyMap<string, ChainStep>;
  readonly missingKeys: number;
  /** Trace contexts of the events, for links. */
  readonly traceparents: readonly string[];
  readonly events: number;
}
