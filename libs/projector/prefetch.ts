/** Everything a batch is known to need, before it is folded: few statements instead of many. */
import { type Envelope, type EventCatalog, type LoggedEvent, subjectsOf } from '#libs/event-log';
import { appliedCommand, erasedSubject, heldStream, untyped } from './engine-tables.js';
import { LoadFailed, type Overlay } from './overlay.js';
import type { ConferenceSelect } from './plan.js';
import type { EventHandler, Rows } from './projection.js';

export class Prefetch {
  /** Whose rows are there already, whatever the events before it change. */
  private readonly loaded = new Set<LoggedEvent>();

  constructor(
    private readonly overlay: Overlay,
    private readonly catalog: EventCatalog,
    private readonly handlersOf: (type: string) => readonly EventHandler[],
  ) {}

  /**
   * @param envelopes of all events whose outcome is written: whether their commands were met before, whether their streams are held
   * @param events those that are folded: what their projections read, and whether their people were erased
   */
  async run(envelopes: readonly Envelope[], events: readonly LoggedEvent[]): Promise<void> {
    const also = [
      ...envelopes.flatMap(({ conference, commandId, stream }): ConferenceSelect[] => [
        { conference, select: { table: untyped(appliedCommand), where: { commandId } } },
        ...(stream === null ? [] : [{ conference, select: { table: untyped(heldStream), where: { stream } } }]),
      ]),
      ...events.flatMap((event): ConferenceSelect[] => {
        const type = this.catalog.get(event.type);
        return (type ? subjectsOf(event, type) : []).map((subject) => ({
          conference: event.conference,
          select: { table: untyped(erasedSubject), where: { subject } },
        }));
      }),
    ];
    try {
      const wanted = events.flatMap((event) => this.handlersOf(event.type).map((handler) => ({ event, handler })));
      const looked = new Set((await this.load(wanted, also)).map(({ event }) => event));
      for (const event of events) if (!looked.has(event)) this.loaded.add(event);
    } catch (error) {
      // A projection that throws here throws again at its own event, where its stream can be parked.
      if (error instanceof LoadFailed) throw error;
      await this.overlay.ensure(also);
    }
  }

  isLoaded(event: LoggedEvent): boolean {
    return this.loaded.has(event);
  }

  /** @returns those that looked at rows: with other rows they would declare something else */
  load(
    wanted: readonly { readonly event: LoggedEvent; readonly handler: EventHandler }[],
    also: readonly ConferenceSelect[] = [],
  ): Promise<readonly { readonly event: LoggedEvent }[]> {
    return this.overlay.loadDeclared(
      wanted.map(({ event, handler }) => ({
        event,
        conference: event.conference,
        reads: (rows: Rows) => handler.reads(event, rows),
      })),
      also,
    );
  }
}
