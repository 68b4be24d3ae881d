import { defineLimit } from '#libs/limits';

/** A head that a commit ended at, and the proof of history there. */
export type HistoryEntry = readonly [head: number, proof: string];

/** As the projector keeps it in the table, and what came since it was last swept. */
const MAX_ENTRIES = defineLimit({
  name: 'feed.history.entries',
  value: 4_096,
  unit: 'entries',
  beyond:
    'the oldest are forgotten, per conference; a cursor from before them is judged by the sums of the beacons alone',
});

/** By which heads a conference came to where it is: what a cursor claims is judged by it, without the database (I8). */
export class History {
  /** In order of head. */
  readonly #proofs = new Map<number, string>();
  #oldest = Number.POSITIVE_INFINITY;

  constructor(entries: readonly HistoryEntry[] = []) {
    this.add(entries);
  }

  /** In order of head; known ones may be among them. */
  add(entries: readonly HistoryEntry[]): void {
    for (const [head, proof] of entries) {
      this.#proofs.set(head, proof);
      this.#oldest = Math.min(this.#oldest, head);
    }
    for (const head of this.#proofs.keys()) {
      if (this.#proofs.size <= MAX_ENTRIES) break;
      this.#proofs.delete(head);
      this.#oldest = head + 1;
    }
  }

  proofAt(head: number): string | undefined {
    return this.#proofs.get(head);
  }

  /** Whoever was at `head` with this proof was in another history. false, too, of what lies too far back to be known. */
  contradicts(head: number, proof: string): boolean {
    const known = this.#proofs.get(head);
    // No commit ended there, though all since the oldest known one are known.
    if (known === undefined) return head >= this.#oldest;
    return known !== proof;
  }
}
