/** A sender's id stands for one command. What is sent under it again is either that command, or refused: never another one's outcome. */
import { LRUCache } from 'lru-cache';
import { digestOf, type Journal } from '#libs/event-log';
import { defineLimit } from '#libs/limits';
import { Refusal } from '#libs/protocol';
import type { FindOutcome, KnownOutcome } from './outcomes.js';

const RECENT = defineLimit({
  name: 'commands.recent-ids',
  value: 10_000,
  unit: 'entries',
  beyond:
    'the oldest is forgotten; another content under its id is still found once the first command has been projected',
});

export interface IdentifiedCommand {
  readonly conference: string;
  readonly actor: string;
  readonly commandId: string;
  readonly content: string;
}

export class UsedIds {
  /** Ids of commands that this process has appended and may not have seen projected, with what they said. */
  private readonly recent = new LRUCache<string, string>({ max: RECENT });

  constructor(
    private readonly journal: Pick<Journal, 'isDigestOf'>,
    private readonly findOutcome: FindOutcome,
  ) {}

  /** @returns what frees the id again, for a command that was not appended. @throws Refusal id-reused */
  take({ commandId, content }: IdentifiedCommand): () => void {
    const digest = digestOf(content);
    const known = this.recent.get(commandId);
    if (known !== undefined && known !== digest) throw new Refusal('id-reused');
    this.recent.set(commandId, digest);
    return () => {
      if (known === undefined) this.recent.delete(commandId);
    };
  }

  /** The outcome of the command as first met. @throws Refusal id-reused, if that one said something else */
  async outcomeOf(command: IdentifiedCommand): Promise<KnownOutcome | null> {
    const known = await this.findOutcome(command.conference, command.commandId);
    if (known) await this.refuseOther(command, known);
    return known;
  }

  /** @throws Refusal id-reused */
  async refuseOther(command: IdentifiedCommand, { digest }: KnownOutcome): Promise<void> {
    if (digest === null || (await this.journal.isDigestOf(digest, command))) return;
    // What was appended under it here acts nowhere: the id stands for what it was first used for.
    this.recent.delete(command.commandId);
    throw new Refusal('id-reused');
  }
}
