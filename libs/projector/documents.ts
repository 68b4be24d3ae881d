/** Which documents a batch touches, and their bodies: touched at each row change, rendered once, from the final rows. */
import { setImmediate as eventLoop } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { JsonObject } from '#libs/event-log';
import { untyped, type WindowEntry, type WindowHead, windowEntry, windowHead } from './engine-tables.js';
import { type AppliedChange, LoadFailed, type Overlay } from './overlay.js';
import type { DocumentWrite } from './plan.js';
import type { DocumentRef, DocumentView, ShownTable } from './projection.js';

interface Touch extends DocumentRef {
  readonly conference: string;
  readonly view: DocumentView;
  version: number;
  mark: string;
  traceparent: string | null;
  /** Of the first touch: who waited longest counts. */
  readonly appendedAt: string;
  /** It left its window: a tombstone whatever its rows say. */
  evicted: boolean;
}

export interface Shown {
  readonly view: DocumentView;
  readonly ref: DocumentRef;
  /** By the row after the change. */
  readonly shown: boolean;
}

export interface Toucher {
  readonly conference: string;
  readonly version: number;
  /** Of the event at this version (`markOf`). */
  readonly mark: string;
  readonly traceparent: string | null;
  /** When the event was appended, ISO 8601. */
  readonly appendedAt: string;
}

export interface PostponedTouch extends DocumentRef {
  /** Place of its view: of one kind there may be several. */
  readonly view: number;
}

/** Rendering failed: some command of the batch leads to rows that no document can show. */
export class ProjectionFailed extends Error {
  override readonly name = 'ProjectionFailed';
}

/** None of the three holds the separator. */
const idOf = (conference: string, channel: string, key: string): string => `${conference}\u0001${channel}\u0001${key}`;

/** Documents rendered before the event loop gets its turn. */
const AT_A_STRETCH = 100;

export class Documents {
  private readonly touches = new Map<string, Touch>();
  private readonly viewsByTable = new Map<string, { readonly view: DocumentView; readonly shown: ShownTable }[]>();

  constructor(
    private readonly views: readonly DocumentView[],
    private readonly overlay: Overlay,
  ) {
    for (const view of views) {
      for (const shown of view.shows) {
        const known = this.viewsByTable.get(shown.table.name) ?? [];
        known.push({ view, shown });
        this.viewsByTable.set(shown.table.name, known);
      }
    }
  }

  /** I3: whatever a row showed before or shows after is touched, so no split of the log can leave a body behind its rows. */
  async touch(changes: readonly AppliedChange[], by: Toucher): Promise<void> {
    await this.touchRefs(this.refsOf(changes), by);
  }

  async touchRefs(refs: readonly Shown[], by: Toucher): Promise<void> {
    for (const { view, ref, shown } of refs) {
      const isEvicted = view.window !== undefined && (await this.isEvicted(view, ref, by, shown));
      this.add(view, ref, by, isEvicted);
    }
  }

  /** All of them, before any is touched: a view that throws must leave nothing behind. */
  refsOf(changes: readonly AppliedChange[]): readonly Shown[] {
    const found: Shown[] = [];
    for (const { table, before, after } of changes) {
      for (const { view, shown } of this.viewsByTable.get(table.name) ?? []) {
        const { refs, columns } = shown;
        if (columns && before && after && columns.every((column) => isDeepStrictEqual(before[column], after[column])))
          continue;
        const now = after ? refs(after) : [];
        for (const ref of before ? refs(before) : [])
          if (!now.some(({ channel, key }) => channel === ref.channel && key === ref.key))
            found.push({ view, ref, shown: false });
        for (const ref of now) found.push({ view, ref, shown: true });
      }
    }
    return found;
  }

  /** How many. */
  get touched(): number {
    return this.touches.size;
  }

  /** Takes out what was touched, for `touchLater` of another batch. */
  postpone(): readonly PostponedTouch[] {
    const touched = [...this.touches.values()].map((touch) => ({
      channel: touch.channel,
      key: touch.key,
      view: this.views.indexOf(touch.view),
    }));
    this.touches.clear();
    return touched;
  }

  /** Touches what was put off: whether it left its window is told by the rows. */
  async touchLater(postponed: readonly PostponedTouch[], by: Toucher): Promise<void> {
    const { conference } = by;
    await this.overlay.ensure(
      postponed.map(({ channel, key }) => ({
        conference,
        select: { table: untyped(windowEntry), where: { channel, key } },
      })),
    );
    const rows = this.overlay.view(conference, false);
    for (const { channel, key, view: place } of postponed) {
      const view = this.views[place];
      if (view) this.add(view, { channel, key }, by, rows.get(windowEntry, { channel, key })?.evicted ?? false);
    }
  }

  async render(): Promise<DocumentWrite[]> {
    const touches = [...this.touches.values()].sort((a, b) => a.version - b.version);
    const living = touches.filter((touch) => !touch.evicted);
    try {
      await this.loadFor(living);
      const written: DocumentWrite[] = [];
      for (const touch of touches) {
        if (written.length % AT_A_STRETCH === AT_A_STRETCH - 1) await eventLoop();
        written.push(this.write(touch));
      }
      return written;
    } catch (error) {
      throw error instanceof LoadFailed
        ? error
        : new ProjectionFailed('a document could not be rendered', { cause: error });
    }
  }

  private async loadFor(touches: readonly Touch[]): Promise<void> {
    await this.overlay.loadDeclared(
      touches.map(({ conference, view, channel, key }) => ({
        conference,
        reads: (rows) => view.reads({ channel, key }, rows),
      })),
    );
  }

  private write(touch: Touch): DocumentWrite {
    const { conference, view, channel, key, version, mark, traceparent, appendedAt, evicted } = touch;
    const body: JsonObject | null = evicted
      ? null
      : view.render({ channel, key }, this.overlay.view(conference, false));
    return { conference, channel, key, version, mark, body, traceparent, appendedAt };
  }

  private add(view: DocumentView, ref: DocumentRef, by: Toucher, evicted: boolean): void {
    const id = idOf(by.conference, ref.channel, ref.key);
    const known = this.touches.get(id);
    if (known) {
      known.version = by.version;
      known.mark = by.mark;
      known.traceparent = by.traceparent;
      known.evicted ||= evicted;
    } else {
      this.touches.set(id, {
        conference: by.conference,
        view,
        channel: ref.channel,
        key: ref.key,
        version: by.version,
        mark: by.mark,
        traceparent: by.traceparent,
        appendedAt: by.appendedAt,
        evicted,
      });
    }
  }

  /** Enters a newly shown document into its window, and pushes the one that entered first out of it. */
  private async isEvicted(view: DocumentView, ref: DocumentRef, by: Toucher, shown: boolean): Promise<boolean> {
    const { conference } = by;
    const { channel, key } = ref;
    const rows = this.overlay.view(conference, false);
    await this.overlay.ensure([
      { conference, select: { table: untyped(windowEntry), where: { channel, key } } },
      { conference, select: { table: untyped(windowHead), where: { channel, kind: view.kind } } },
    ]);
    const entry = rows.get(windowEntry, { channel, key });
    if (entry || !shown) return entry?.evicted ?? false;
    const seq = (rows.get(windowHead, { channel, kind: view.kind })?.entered ?? 0) + 1;
    this.overlay.put(conference, untyped(windowHead), { channel, kind: view.kind, entered: seq } satisfies WindowHead);
    this.overlay.put(conference, untyped(windowEntry), {
      channel,
      key,
      kind: view.kind,
      seq,
      evicted: false,
    } satisfies WindowEntry);
    const leaving = { channel, kind: view.kind, seq: seq - (view.window ?? 0) };
    await this.overlay.ensure([{ conference, select: { table: untyped(windowEntry), where: leaving } }]);
    for (const first of rows.all(windowEntry, leaving)) {
      this.overlay.put(conference, untyped(windowEntry), { ...first, evicted: true });
      const id = idOf(conference, channel, first.key);
      this.touches.set(id, {
        conference,
        view,
        channel,
        key: first.key,
        version: by.version,
        mark: by.mark,
        traceparent: by.traceparent,
        appendedAt: by.appendedAt,
        evicted: true,
      });
    }
    return false;
  }
}
