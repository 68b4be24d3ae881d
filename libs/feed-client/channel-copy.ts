/** One channel's copy on the receiving side: rules F1–F6 and B1–B2 of SPEC.md. Pure. */
import type { Beacon, Cursor, Frame } from '#libs/protocol';

export interface ClientDocument {
  readonly version: number;
  readonly body: object;
}

export class ChannelCopy {
  cursor: Cursor | null = null;
  documents: ReadonlyMap<string, ClientDocument> = new Map();
  /** A private channel was last named by a beacon, or asked for, then (monotonic milliseconds). */
  namedAt: number | null = null;
  /** A resume is under way since then (monotonic milliseconds); null: none. One at a time. */
  resumingSince: number | null = null;

  /** @returns whether the copy changed, and whether the channel must be resumed */
  frame(frame: Frame): 'applied' | 'ignored' | 'resume' {
    if (frame.from === null) {
      this.documents = new Map(
        frame.entries.flatMap(([key, version, body]) => (body === null ? [] : [[key, { version, body }] as const])),
      );
      return this.completeTo(frame);
    }
    if (!this.cursor || this.cursor[0] !== frame.epoch) return 'resume';
    const [, complete] = this.cursor;
    if (frame.to <= complete) return 'ignored';
    if (frame.from > complete) return 'resume';
    this.documents = merge(this.documents, frame.entries);
    return this.completeTo(frame);
  }

  /** @param lastChange of this channel, as the beacon says */
  beacon({ epoch, head }: Pick<Beacon, 'epoch' | 'head'>, lastChange: number): 'current' | 'resume' {
    if (!this.cursor || this.cursor[0] !== epoch || this.cursor[1] < lastChange) return 'resume';
    this.cursor = [epoch, Math.max(head, this.cursor[1])];
    this.resumingSince = null;
    return 'current';
  }

  /** It has a copy of this epoch, asks for nothing, and a beacon has named it since then. */
  isNamedSince(then: number, epoch: string): boolean {
    return this.cursor?.[0] === epoch && this.resumingSince === null && this.namedAt !== null && this.namedAt >= then;
  }

  private completeTo({ epoch, to }: Frame): 'applied' {
    this.cursor = [epoch, to];
    this.resumingSince = null;
    return 'applied';
  }
}

/** Applied only if newer: twice, or late, changes nothing (I5). */
function merge(
  documents: ReadonlyMap<string, ClientDocument>,
  entries: Frame['entries'],
): ReadonlyMap<string, ClientDocument> {
  const merged = new Map(documents);
  for (const [key, version, body] of entries) {
    if ((merged.get(key)?.version ?? -1) >= version) continue;
    if (body === null) merged.delete(key);
    else merged.set(key, { version, body });
  }
  return merged;
}
