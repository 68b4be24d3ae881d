/**
 * The seam between the pure half (fold.ts: events → plan) and the effect half (write-batch.ts: plan → one transaction).
 */
import type { JsonObject, LogRecord } from '#libs/event-log';
import type { Row, RowTable, Select } from './projection.js';

/** Reads the rows of all selects of one table with one statement each. The effect half implements it on Postgres, tests on maps. */
export interface RowSource {
  load(
    conference: string,
    selects: readonly Select[],
  ): Promise<readonly { readonly table: RowTable; readonly rows: readonly Row[] }[]>;
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
  readonly version: bigint;
  readonly body: JsonObject | null;
  readonly traceparent: string | null;
}

export type Outcome = 'applied' | 'no-effect' | 'held';

export interface OutcomeWrite {
  readonly conference: string;
  readonly commandId: string;
  readonly actor: string;
  /** Offset of the command's first event as first met. */
  readonly base: bigint;
  readonly outcome: Outcome;
  /** Why it had no effect or is held. */
  readonly because: string | null;
  readonly at: string;
}

export interface AuditWrite {
  readonly conference: string;
  readonly offset: bigint;
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
  /** Sealed, as in the log. */
  readonly data: JsonObject;
  /** Rows before and after, personal columns left out. */
  readonly before: readonly Row[];
  readonly after: readonly Row[];
}

export interface ParkedWrite {
  readonly conference: string;
  readonly stream: string;
  readonly offset: bigint;
  readonly reason: string;
  readonly record: LogRecord;
}

export interface DeadLetterWrite {
  readonly offset: bigint;
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
  readonly rows: readonly RowWrite[];
  readonly documents: readonly DocumentWrite[];
  readonly outcomes: readonly OutcomeWrite[];
  readonly audit: readonly AuditWrite[];
  readonly parked: readonly ParkedWrite[];
  readonly unparked: readonly { readonly conference: string; readonly offset: bigint }[];
  /** For the permanent table: every later build skips these too. */
  readonly skipped: readonly {
    readonly conference: string;
    readonly offset: bigint;
    readonly by: string;
    readonly at: string;
  }[];
  /** Subjects whose keys are emptied in the same transaction (I14). */
  readonly erased: readonly { readonly conference: string; readonly subject: string; readonly at: string }[];
  readonly deadLetters: readonly DeadLetterWrite[];
  /** New head per conference met in this batch, events without effect and parked ones included. */
  readonly heads: ReadonlyMap<string, bigint>;
  readonly missingKeys: number;
  /** Events folded, for metrics and adaptive batches. */
  readonly events: number;
}
