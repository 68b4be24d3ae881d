import { defineLimit } from '#libs/limits';

/** What became of a command, as `applied_command` says it. */
export interface FoldedCommand {
  /** Offset of its first event as first met. */
  readonly base: number;
  /** How many of its events changed something / wait in a parked stream. */
  readonly applied: number;
  readonly held: number;
  readonly because: string | null;
}

/** Ids asked for in one reading; the outcome of a command beyond them is looked up by itself. */
export const MAX_AWAITED_PER_READING = defineLimit({
  name: 'feed.outcomes.per-reading',
  value: 1_000,
  unit: 'commands',
  beyond: 'looked up by a statement of its own',
});

interface Awaited {
  count: number;
  folded: FoldedCommand | null;
}

/** Commands whose senders wait: their ids travel with the tail's statement, so that an outcome costs no statement of its own. */
export class AwaitedOutcomes {
  readonly #awaited = new Map<string, Awaited>();

  get size(): number {
    return this.#awaited.size;
  }

  /** While `reached` is awaited, each reading asks for the command. @returns undefined: not reached; null: no reading knew it */
  async during(commandId: string, reached: Promise<boolean>): Promise<FoldedCommand | null | undefined> {
    const awaited = this.#awaited.get(commandId) ?? { count: 0, folded: null };
    awaited.count += 1;
    this.#awaited.set(commandId, awaited);
    try {
      return (await reached) ? awaited.folded : undefined;
    } finally {
      awaited.count -= 1;
      if (awaited.count === 0) this.#awaited.delete(commandId);
    }
  }

  /** Of what was not answered yet, those that have waited longest. */
  ids(atMost: number): readonly string[] {
    const ids: string[] = [];
    for (const [id, { folded }] of this.#awaited) {
      if (ids.length >= atMost) break;
      if (!folded) ids.push(id);
    }
    return ids;
  }

  take(folded: ReadonlyMap<string, FoldedCommand>): void {
    for (const [id, command] of folded) {
      const awaited = this.#awaited.get(id);
      if (awaited) awaited.folded = command;
    }
  }
}
