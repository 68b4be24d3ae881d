/** One channel's copy on the receiving side: rules F1–F8, B1 and B4 of SPEC.md. Pure. */
import { type Beacon, ContentSum, type Cursor, type Frame } from '#libs/protocol';
import { SumHealing } from './sum-healing.js';

export interface ClientDocument {
  readonly version: number;
  readonly body: object;
  /** Of its last event; absent: the gateway is an older one. */
  readonly mark?: string;
}

export class ChannelCopy {
  cursor: Cursor | null = null;
  documents: ReadonlyMap<string, ClientDocument> = new Map();
  /** A private channel was last named by a beacon, or asked for, then (monotonic milliseconds). */
  namedAt: number | null = null;
  /** A resume is under way since then (monotonic milliseconds); null: none. One at a time. */
  resumingSince: number | null = null;
  readonly healing = new SumHealing();
  private sum = new ContentSum();
  /** Of the last snapshot. */
  private epoch: string | undefined;

  /** @returns whether the copy changed, and whether the channel must be resumed */
  frame(frame: Frame): 'applied' | 'ignored' | 'resume' {
    if (frame.from === null) {
      this.documents = new Map();
      this.sum = new ContentSum();
      if (this.epoch !== frame.epoch) this.healing.restart();
      this.epoch = frame.epoch;
      this.merge(frame);
      return this.completeTo(frame);
    }
    if (!this.cursor || this.cursor[0] !== frame.epoch) return 'resume';
    const [, complete] = this.cursor;
    if (frame.to <= complete) return 'ignored';
    if (frame.from > complete) return 'resume';
    this.merge(frame);
    return this.completeTo(frame);
  }

  /**
   * @param lastChange of this channel, as the beacon says
   * @param sum of the channel at the beacon's head, if it says so
   * @returns "wrong": complete, and yet not what the gateway has
   */
  beacon(
    { epoch, head, proof }: Pick<Beacon, 'epoch' | 'head' | 'proof'>,
    lastChange: number,
    sum?: number,
  ): 'current' | 'resume' | 'wrong' {
    if (!this.cursor || this.cursor[0] !== epoch || this.cursor[1] < lastChange) return 'resume';
    const [, complete, known] = this.cursor;
    // At the same place in another history: it is resumed from there, and given a snapshot (F8).
    if (complete === head && known !== undefined && proof !== undefined && known !== proof) return 'resume';
    // Ahead of a gateway that follows it: the gateway, or the database behind it, went back. It waits for the primary, then answers.
    if (complete > head) return 'resume';
    this.resumingSince = null;
    if (sum !== undefined && sum !== this.sum.value) return 'wrong';
    this.healing.agreed();
    this.cursor = cursorAt(epoch, head, proof);
    return 'current';
  }

  /** It has a copy of this epoch, asks for nothing, and a beacon has named it since then. */
  isNamedSince(then: number, epoch: string): boolean {
    return this.cursor?.[0] === epoch && this.resumingSince === null && this.namedAt !== null && this.namedAt >= then;
  }

  /** All of it is asked for; until it comes, what is here stays. */
  forgetPlace(): void {
    this.cursor = null;
    this.resumingSince = null;
  }

  private completeTo({ epoch, to, proof }: Frame): 'applied' {
    this.cursor = cursorAt(epoch, to, proof);
    this.resumingSince = null;
    return 'applied';
  }

  /** Applied only if newer: twice, or late, changes nothing (I5). */
  private merge({ entries, marks }: Frame): void {
    const merged = new Map(this.documents);
    for (const [index, [key, version, body]] of entries.entries()) {
      const mark = marks?.[index];
      const before = merged.get(key);
      if ((before?.version ?? -1) >= version) continue;
      if (before) this.sum.remove(key, before.version, before.mark ?? '');
      if (body === null) merged.delete(key);
      else {
        merged.set(key, { version, body, ...(mark === undefined ? {} : { mark }) });
        this.sum.add(key, version, mark ?? '');
      }
    }
    this.documents = merged;
  }
}

const cursorAt = (epoch: string, to: number, proof: string | undefined): Cursor =>
  proof === undefined ? [epoch, to] : [epoch, to, proof];
