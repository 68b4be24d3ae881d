/** I13: what became of each command, and how its sender learns of everything but "applied". */
import type { Envelope } from '#libs/event-log';
import type { Documents, Toucher } from './documents.js';
import {
  type ActorOutcomes,
  type AppliedCommand,
  actorOutcomes,
  appliedCommand,
  MAX_OUTCOMES,
  outcomeOf,
  untyped,
} from './engine-tables.js';
import type { FoldVerdict } from './fold.js';
import type { Overlay } from './overlay.js';

/** A command while one of its events is folded. */
export interface CommandRecord {
  readonly conference: string;
  readonly commandId: string;
  readonly actor: string;
  /** This is the command's last event: its outcome is known now. */
  readonly last: boolean;
}

export class Outcomes {
  constructor(
    private readonly overlay: Overlay,
    private readonly documents: Documents,
  ) {}

  /** Registers the command at its first event. null: this copy of it was appended again and must not act. */
  async open(event: Envelope): Promise<CommandRecord | null> {
    const { conference, commandId, actor, index, count } = event;
    const base = Number(event.position.offset) - index;
    const known = await this.find(conference, commandId);
    if (known && known.base !== base) return null;
    if (!known) {
      const row: AppliedCommand = {
        commandId,
        base,
        applied: 0,
        held: 0,
        because: null,
        at: event.time,
        digest: event.digest ?? null,
        subject: event.answer ?? event.subject,
      };
      this.overlay.put(conference, untyped(appliedCommand), row);
    }
    return { conference, commandId, actor, last: index === count - 1 };
  }

  /** One event of the command was folded. */
  async settle(command: CommandRecord, verdict: FoldVerdict, by: Toucher): Promise<void> {
    await this.update(command, by, command.last ? 'first' : 'not yet', (row) => ({
      ...row,
      applied: row.applied + (verdict.changed ? 1 : 0),
      because: row.because ?? verdict.noEffect,
    }));
  }

  /** One event of the command waits. */
  async hold(command: CommandRecord, by: Toucher): Promise<void> {
    await this.update(command, by, command.last ? 'first' : 'not yet', (row) => ({ ...row, held: row.held + 1 }));
  }

  /** One event of the command waits no longer: it was folded, or dropped. */
  async release(command: Omit<CommandRecord, 'last'>, verdict: FoldVerdict, by: Toucher): Promise<void> {
    await this.update(command, by, 'again', (row) => ({
      ...row,
      held: row.held - 1,
      applied: row.applied + (verdict.changed ? 1 : 0),
      because: row.because ?? verdict.noEffect,
    }));
  }

  private async find(conference: string, commandId: string): Promise<AppliedCommand | undefined> {
    await this.overlay.ensure([{ conference, select: { table: untyped(appliedCommand), where: { commandId } } }]);
    return this.overlay.view(conference, false).get(appliedCommand, { commandId });
  }

  private async update(
    command: Omit<CommandRecord, 'last'>,
    by: Toucher,
    telling: 'not yet' | 'first' | 'again',
    change: (row: AppliedCommand) => AppliedCommand,
  ): Promise<void> {
    const row = await this.find(command.conference, command.commandId);
    if (!row) throw new Error('the command was never opened');
    const changed = change(row);
    this.overlay.put(command.conference, untyped(appliedCommand), changed);
    // A command's events lie side by side: before its last one nothing was told, and "applied" alone is never told.
    if (telling === 'again' || (telling === 'first' && outcomeOf(changed) !== 'applied'))
      await this.tell(command.actor, changed, by);
  }

  /** A sender hears of "held", "no effect", and of the final outcome of what was held. */
  private async tell(actor: string, row: AppliedCommand, by: Toucher): Promise<void> {
    const { conference } = by;
    const { commandId } = row;
    const outcome = outcomeOf(row);
    await this.overlay.ensure([{ conference, select: { table: untyped(actorOutcomes), where: { actor } } }]);
    const list = this.overlay.view(conference, false).get(actorOutcomes, { actor })?.list ?? [];
    const told = list.some(({ command }) => command === commandId);
    if (outcome === 'applied' && !told) return;
    const entry = { command: commandId, outcome, because: outcome === 'no-effect' ? row.because : null, at: row.at };
    const next: ActorOutcomes = {
      actor,
      list: [entry, ...list.filter(({ command }) => command !== commandId)].slice(0, MAX_OUTCOMES),
    };
    await this.documents.touch([this.overlay.put(conference, untyped(actorOutcomes), next)], by);
  }
}
