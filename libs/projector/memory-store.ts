/** Rows and documents on maps: the oracle that every other way of folding is compared with, and the store of given/when/then specs. */
import type { JsonObject } from '#libs/event-log';
import { proofAfter } from './history-chain.js';
import type { AuditWrite, BatchPlan, ConferenceSelect, DeadLetterWrite, RowSource } from './plan.js';
import type { Row, RowTable } from './projection.js';
import { isByKey } from './row-keys.js';

export interface StoredDocument {
  readonly version: number;
  readonly mark: string;
  readonly body: JsonObject | null;
}

export interface MemoryStore extends RowSource {
  apply(plan: BatchPlan): void;
  readonly next: bigint;
  /** Living and dead documents by `conference channel key`. */
  readonly documents: ReadonlyMap<string, StoredDocument>;
  rows(conference: string, table: string): readonly Row[];
  readonly audit: readonly AuditWrite[];
  readonly deadLetters: readonly DeadLetterWrite[];
  isSkipped(conference: string, offset: number): boolean;
  readonly heads: ReadonlyMap<string, number>;
  /** Of the history of each conference, at its head. */
  readonly proofs: ReadonlyMap<string, bigint>;
}

export function createMemoryStore(): MemoryStore {
  const tables = new Map<string, Map<string, Row>>();
  const documents = new Map<string, StoredDocument>();
  const audit: AuditWrite[] = [];
  const deadLetters: DeadLetterWrite[] = [];
  const skipped = new Set<string>();
  const heads = new Map<string, number>();
  const proofs = new Map<string, bigint>();
  let next = 0n;
  /** Rows of one table and conference: a spec's log is long, and looking through all of it for each event would take minutes. */
  const rowsOf = (name: string, conference: string) => {
    const id = JSON.stringify([name, conference]);
    const known = tables.get(id) ?? new Map<string, Row>();
    tables.set(id, known);
    return known;
  };
  return {
    async load(selects: readonly ConferenceSelect[]) {
      return selects.map(({ conference, select }) => {
        const { table, where } = select;
        const all = rowsOf(table.name, conference);
        const candidates = isByKey(select)
          ? [all.get(pkOf(conference, table, where as Row)) ?? []].flat()
          : [...all.values()];
        return { conference, table, rows: candidates.filter((row) => matches(row, where)) };
      });
    },
    apply(plan) {
      if (plan.expected !== next) throw new Error(`the checkpoint stands at ${next}, not at ${plan.expected}`);
      next = plan.next;
      for (const { conference, table, key, row } of plan.rows) {
        const pk = pkOf(conference, table, key);
        if (row === null) rowsOf(table.name, conference).delete(pk);
        // Through JSON, as through a database: nobody keeps a reference, undefined does not exist.
        else rowsOf(table.name, conference).set(pk, JSON.parse(JSON.stringify(row)) as Row);
      }
      for (const { conference, channel, key, version, mark, body } of plan.documents) {
        documents.set(`${conference} ${channel} ${key}`, {
          version,
          mark,
          body: JSON.parse(JSON.stringify(body)) as JsonObject | null,
        });
      }
      audit.push(...plan.audit);
      deadLetters.push(...plan.deadLetters);
      for (const { conference, offset } of plan.skipped) skipped.add(`${conference} ${offset}`);
      for (const [conference, head] of plan.heads) heads.set(conference, head);
      for (const [conference, step] of plan.chain)
        proofs.set(conference, proofAfter(proofs.get(conference) ?? 0n, step));
    },
    get next() {
      return next;
    },
    documents,
    audit,
    deadLetters,
    heads,
    proofs,
    rows: (conference, table) => [...rowsOf(table, conference).values()],
    isSkipped: (conference, offset) => skipped.has(`${conference} ${offset}`),
  };
}

const pkOf = (conference: string, table: RowTable, row: Row): string =>
  JSON.stringify([conference, ...table.key.map((property) => row[property] ?? null)]);

const matches = (row: Row, where: Partial<Row>): boolean =>
  Object.entries(where).every(([property, value]) => row[property] === value);
