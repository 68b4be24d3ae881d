/** Who may begin now: attendees as far as what they add is folded in time, each command in the turn of its lane (D8, D9). */
import type { Lane } from '#libs/event-log';
import { type CommandAck, Refusal } from '#libs/protocol';
import { recorded } from '#libs/signals';
import type { Identity } from '../../conference/capability.js';
import { LagControl } from './lag-control.js';
import { laneOf } from './lane-of.js';
import { CommandTurns } from './turns.js';

/** A command on its way. */
export interface Announced {
  /** It was answered, whatever became of it. */
  end(): void;
}

export class CommandAdmission {
  private readonly turns = new CommandTurns();

  constructor(private readonly lag = new LagControl()) {}

  /** A command of this person has come: refused at once, for there are too many, before anything is read of it (D10); or on its way. */
  announce(identity: Identity, conference: string): Refusal | Announced {
    if (laneOf(identity) !== 'attendee') return { end: () => undefined };
    const lag = this.lag.of(conference);
    return lag.isFull ? counted(lag.refusal()) : { end: lag.announce() };
  }

  /** @param work never throws */
  async run(lane: Lane, conference: string, work: () => Promise<CommandAck>): Promise<CommandAck> {
    if (lane !== 'attendee') return this.inTurn(lane, work);
    const lag = this.lag.of(conference);
    try {
      const place = await lag.enter();
      return await this.inTurn(lane, work).finally(() => place.leave());
    } catch (error) {
      if (error instanceof Refusal) return { refusal: counted(error).body() };
      throw error;
    }
  }

  /** Append → folded, of a command of any lane. */
  measured(conference: string, ms: number): void {
    this.lag.of(conference).measured(ms);
  }

  private async inTurn(lane: Lane, work: () => Promise<CommandAck>): Promise<CommandAck> {
    await this.turns.next(lane);
    return work();
  }
}

/** No span: whoever is turned away costs next to nothing. */
function counted(refusal: Refusal): Refusal {
  recorded.command.record(0, { outcome: String(refusal.code) });
  return refusal;
}
