/** Rows and documents on maps: the oracle that every other way of folding is compared with, and the store of given/when/then specs. */
import type { JsonObject } from '#libs/event-log';
import { proofAfter } from './history-chain.js';
import type { AuditWrite, BatchPlan, ConferenceSelect, DeadLetterWrite, RowSource } from './plan.js';
import type { Row, RowTable } from './projection.js';

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
  const tables = new Map<string, Map<string, { readonly conference: string; readonly row: Row }>>();
  const documents = new Map<string, StoredDocument>();
  const audit: AuditWrite[] = [];
  const deadLetters: DeadLetterWrite[] = [];
  const skipped = new Set<string>();
  const heads = new Map<string, number>();
  const proofs = new Map<string, bigint>();
  let next = 0n;
  const tableNamed = (name: string) => {
    const known = tables.get(name) ?? new Map<string, { readonly conference: string; readonly row: Row }>();
    tables.set(name, known);
    return known;
  };
  return {
    async load(selects: readonly ConferenceSelect[]) {
      return selects.map(({ conference, select }) => ({
        conference,
        table: select.table,
        rows: [...tableNamed(select.table.name).values()]
          .filter((stored) => stored.conference === conference && matches(stored.row, select.where))
          .map(({ row }) => row),
      }));
    },
    apply(plan) {
      if (plan.expected !== next) throw new Error(`the checkpoint stands at ${next}, not at ${plan.expected}`);
      next = plan.next;
      for (const { conference, table, key, row } of plan.rows) {
        const pk = pkOf(conference, table, key);
        if (row === null) tableNamed(table.name).delete(pk);
        // Through JSON, as through a database: nobody keeps a reference, undefined does not exist.
        else tableNamed(table.name).set(pk, { conference, row: JSON.parse(JSON.stringify(row)) as Row });
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
    rows: (conference, table) =>
      [...tableNamed(table).values()].filter((stored) => stored.conference === conference).map(({ row }) => row),
    isSkipped: (conference, offset) => skipped.has(`${conference} ${offset}`),
  };
}

const pkOf = (conference: string, table: RowTable, row: Row): string =>
  JSON.stringify([conference, ...table.key.map((property) => row[property] ?? null)]);

const matches = (row: Row, where: Partial<Row>): boolean =>
  Object.entries(where).every(([property, value]) => row[property] === value);
