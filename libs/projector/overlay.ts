/**
 * The rows a batch has read and changed, in memory: what was loaded from the source with its changes on top. Final rows are written
 * once per key, however often a batch changed them.
 */
import { defineLimit } from '#libs/limits';
import type { ConferenceSelect, RowSource, RowWrite } from './plan.js';
import type { Row, RowChange, Rows, RowTable, Select } from './projection.js';
import { idOf, isByKey, keyOf, pick, sorted } from './row-keys.js';

/** A projection read rows that its `reads` did not declare: its result could depend on what else is in the batch. */
export class UndeclaredRead extends Error {
  override readonly name = 'UndeclaredRead';
}

/** The source failed: this says nothing about events or projections. `cause` is what it threw. */
export class LoadFailed extends Error {
  override readonly name = 'LoadFailed';
}

interface Entry {
  readonly key: Row;
  readonly conference: string;
  readonly row: Row | null;
}

interface TableState {
  readonly table: RowTable;
  readonly entries: Map<string, Entry>;
  /** Primary keys of what this batch changed. */
  readonly changed: Set<string>;
  readonly loaded: Set<string>;
  /** For each set of properties asked for: value key → primary keys. */
  readonly indexes: Map<string, { readonly properties: readonly string[]; readonly pks: Map<string, Set<string>> }>;
}

/** What a change replaced, so that it can be taken back. */
interface Undo {
  readonly state: TableState;
  readonly pk: string;
  readonly entry: Entry | undefined;
  readonly changed: boolean;
}

export interface AppliedChange {
  readonly table: RowTable;
  readonly before: Row | null;
  readonly after: Row | null;
}

/** Rounds in which reads may find further rows through rows; more means it never ends. */
const MAX_ROUNDS = defineLimit({
  name: 'projection.read-rounds',
  value: 8,
  unit: 'items',
  beyond: 'the event is parked',
});

/** Somebody says what rows it is going to look at; it may look at those that are known already to say so. */
export interface Declaration {
  readonly conference: string;
  reads(rows: Rows): readonly Select[];
}

export class Overlay {
  /** By conference and name of the table. */
  private readonly tables = new Map<string, Map<string, TableState>>();
  private undo: Undo[] = [];
  /** Grows with each look at rows while declaring. */
  private looks = 0;

  constructor(private readonly source: RowSource) {}

  /** Rows and looks that are remembered. */
  get known(): number {
    let known = 0;
    for (const { entries, loaded } of this.states()) known += entries.size + loaded.size;
    return known;
  }

  /** Of another batch: what the one before changed is as good as written. */
  begin(): void {
    this.undo = [];
    for (const { changed } of this.states()) changed.clear();
  }

  /** Gives memory back, but for what the batch before changed: the database may not know it yet. */
  shed(): void {
    for (const { entries, changed, loaded, indexes } of this.states()) {
      for (const pk of entries.keys()) if (!changed.has(pk)) entries.delete(pk);
      loaded.clear();
      indexes.clear();
    }
  }

  /**
   * Loads what is declared, and again while a declaration depends on rows that were not known before.
   * @param also  what is to be loaded in any case, in the same round
   * @returns who looked at rows: with other rows they would declare something else
   * @throws Error when that never ends
   */
  async loadDeclared<D extends Declaration>(
    declarations: readonly D[],
    also: readonly ConferenceSelect[] = [],
  ): Promise<readonly D[]> {
    let open = declarations;
    let looked: readonly D[] = [];
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const selects: ConferenceSelect[] = round === 0 ? [...also] : [];
      const looking: D[] = [];
      for (const declaration of open) {
        const { conference } = declaration;
        const before = this.looks;
        for (const select of declaration.reads(this.view(conference, true))) selects.push({ conference, select });
        // Who looked at no row would declare the same again: that is nearly everybody.
        if (this.looks !== before) looking.push(declaration);
      }
      if (round === 0) looked = looking;
      if (!(await this.ensure(selects))) return looked;
      open = looking;
    }
    throw new Error('declared reads never come to an end');
  }

  /** Loads what of these selects is not known yet. Answers whether anything was loaded. */
  async ensure(selects: readonly ConferenceSelect[]): Promise<boolean> {
    const missing = new Map<string, ConferenceSelect>();
    for (const wanted of selects)
      if (!this.knows(wanted))
        missing.set(`${wanted.conference} ${wanted.select.table.name} ${idOf(wanted.select)}`, wanted);
    if (missing.size === 0) return false;
    for (const { conference, table, rows } of await this.load([...missing.values()])) {
      for (const row of rows) this.addLoaded(conference, table, row);
    }
    for (const wanted of missing.values()) this.noteLoaded(wanted);
    return true;
  }

  private async load(selects: readonly ConferenceSelect[]): ReturnType<RowSource['load']> {
    try {
      return await this.source.load(selects);
    } catch (cause) {
      throw new LoadFailed('rows could not be loaded', { cause });
    }
  }

  /** Rows of one conference; while declaring reads, what is not loaded reads as absent. */
  view(conference: string, declaring: boolean): Rows {
    const check = (select: Select) => {
      if (declaring) this.looks += 1;
      else if (!this.knows({ conference, select }))
        throw new UndeclaredRead(`${select.table.name} by ${Object.keys(select.where).join(', ')} was not declared`);
    };
    return {
      get: <R extends Row>(table: RowTable<R>, key: Partial<R>) => {
        const untyped = table as unknown as RowTable;
        const entry = this.stateOf(conference, untyped).entries.get(keyOf(key, untyped.key));
        if (declaring || !entry) check({ table: untyped, where: key as Partial<Row> });
        return (entry?.row ?? undefined) as R | undefined;
      },
      all: <R extends Row>(table: RowTable<R>, where: Partial<R>) => {
        const untyped = table as unknown as RowTable;
        check({ table: untyped, where: where as Partial<Row> });
        return this.matching(conference, untyped, where as Partial<Row>) as unknown as readonly R[];
      },
    };
  }

  /** Begins a group of changes that `rollback` can take back. */
  mark(): void {
    this.undo = [];
  }

  rollback(): void {
    for (const { state, pk, entry, changed } of this.undo.reverse()) {
      this.set(state, pk, entry);
      if (!changed) state.changed.delete(pk);
    }
    this.undo = [];
  }

  apply(conference: string, change: RowChange): AppliedChange {
    return 'put' in change
      ? this.put(conference, change.table, change.put)
      : this.remove(conference, change.table, change.remove);
  }

  put(conference: string, table: RowTable, row: Row): AppliedChange {
    return this.change(conference, table, row, row);
  }

  remove(conference: string, table: RowTable, key: Row): AppliedChange {
    return this.change(conference, table, key, null);
  }

  writes(): RowWrite[] {
    const writes: RowWrite[] = [];
    for (const { table, entries, changed } of this.states()) {
      for (const pk of changed) {
        const entry = entries.get(pk);
        if (entry) writes.push({ conference: entry.conference, table, key: entry.key, row: entry.row });
      }
    }
    return writes;
  }

  private change(conference: string, table: RowTable, key: Row, row: Row | null): AppliedChange {
    const state = this.stateOf(conference, table);
    const pk = keyOf(key, table.key);
    const entry = state.entries.get(pk);
    this.undo.push({ state, pk, entry, changed: state.changed.has(pk) });
    state.changed.add(pk);
    this.set(state, pk, { conference, key: pick(key, table.key), row });
    return { table, before: entry?.row ?? null, after: row };
  }

  private addLoaded(conference: string, table: RowTable, row: Row): void {
    const state = this.stateOf(conference, table);
    const pk = keyOf(row, table.key);
    // What this batch changed, or read earlier, is newer than what the database says.
    if (!state.entries.has(pk)) this.set(state, pk, { conference, key: pick(row, table.key), row });
  }

  private set(state: TableState, pk: string, entry: Entry | undefined): void {
    const old = state.entries.get(pk);
    for (const { properties, pks } of state.indexes.values()) {
      if (old?.row) pks.get(keyOf(old.row, properties))?.delete(pk);
      if (entry?.row) addTo(pks, keyOf(entry.row, properties), pk);
    }
    if (entry) state.entries.set(pk, entry);
    else state.entries.delete(pk);
  }

  private matching(conference: string, table: RowTable, where: Partial<Row>): readonly Row[] {
    const state = this.stateOf(conference, table);
    const properties = sorted(Object.keys(where));
    const shape = properties.join(',');
    let index = state.indexes.get(shape);
    if (!index) {
      index = { properties, pks: new Map() };
      for (const [pk, entry] of state.entries) if (entry.row) addTo(index.pks, keyOf(entry.row, properties), pk);
      state.indexes.set(shape, index);
    }
    const pks = [...(index.pks.get(keyOf(where, properties)) ?? [])].sort();
    return pks.map((pk) => state.entries.get(pk)?.row).filter((row): row is Row => row !== undefined && row !== null);
  }

  /** What was looked for and is not there is known, too. */
  private noteLoaded(wanted: ConferenceSelect): void {
    const { conference, select } = wanted;
    const state = this.stateOf(conference, select.table);
    if (!isByKey(select)) state.loaded.add(idOf(select));
    else {
      const pk = keyOf(select.where, select.table.key);
      if (!state.entries.has(pk)) state.entries.set(pk, { conference, key: select.where as Row, row: null });
    }
  }

  private knows(wanted: ConferenceSelect): boolean {
    const { conference, select } = wanted;
    const state = this.stateOf(conference, select.table);
    if (isByKey(select)) return state.entries.has(keyOf(select.where, select.table.key));
    return state.loaded.has(idOf(select));
  }

  private *states(): Iterable<TableState> {
    for (const tables of this.tables.values()) yield* tables.values();
  }

  private stateOf(conference: string, table: RowTable): TableState {
    let tables = this.tables.get(conference);
    if (!tables) {
      tables = new Map();
      this.tables.set(conference, tables);
    }
    let state = tables.get(table.name);
    if (!state) {
      state = { table, entries: new Map(), changed: new Set(), loaded: new Set(), indexes: new Map() };
      tables.set(table.name, state);
    }
    return state;
  }
}

function addTo(index: Map<string, Set<string>>, key: string, pk: string): void {
  const known = index.get(key);
  if (known) known.add(pk);
  else index.set(key, new Set([pk]));
}
