/** I4: a stream waits behind an event that cannot be folded; an operator may drop that event, or a corrected projection folds it. */
import type { JsonObject, LoggedEvent, LogRecord } from '#libs/event-log';
import type { Toucher } from './documents.js';
import { type HeldStream, heldStream, type ParkedEvent, parkedEvent, untyped } from './engine-tables.js';
import type { Fold } from './fold.js';
import type { CommandRecord } from './outcomes.js';

interface ToPark {
  readonly record: LogRecord;
  readonly event: Pick<LoggedEvent, 'conference' | 'time' | 'stream' | 'position'>;
  readonly command: CommandRecord;
  readonly by: Toucher;
  readonly reason: string;
}

export class Parking {
  constructor(private readonly fold: Fold) {}

  async isHeld(conference: string, stream: string): Promise<boolean> {
    return (await this.held(conference, stream)) !== undefined;
  }

  async park({ record, event, command, by, reason }: ToPark): Promise<void> {
    const { conference, time } = event;
    const { overlay, documents, outcomes } = this.fold;
    const stream = event.stream ?? '';
    const offset = Number(event.position.offset);
    const held = await this.held(conference, stream);
    const seq = (held?.last ?? 0) + 1;
    const row: ParkedEvent = { stream, offset, seq, reason, record: packRecord(record) };
    overlay.put(conference, untyped(parkedEvent), row);
    if (held) overlay.put(conference, untyped(heldStream), { ...held, last: seq } satisfies HeldStream);
    else {
      const first: HeldStream = { ...HELD, stream, since: time, offset, first: seq, last: seq };
      await documents.touch([overlay.put(conference, untyped(heldStream), first)], by);
    }
    await outcomes.hold(command, by);
  }

  private async held(conference: string, stream: string): Promise<HeldStream | undefined> {
    await this.fold.overlay.ensure([{ conference, select: { table: untyped(heldStream), where: { stream } } }]);
    return this.fold.overlay.view(conference, false).get(heldStream, { stream });
  }
}

/** While nothing of it is released. */
export const HELD = { releasing: null, folded: false, touched: 0, rendered: 0 } as const;

/** Records as JSON for the parked table; bytes stay exact. */
function packRecord({ key, headers, value, timestamp }: LogRecord): JsonObject {
  const packed = [...headers].map(([name, bytes]) => [name, bytes.toString('base64')]);
  return { key, headers: packed, value: value?.toString('base64') ?? null, timestamp };
}

export function unpackRecord({ offset, record }: ParkedEvent): LogRecord {
  const { key, headers, value, timestamp } = record as unknown as {
    key: string;
    headers: [string, string][];
    value: string | null;
    timestamp: number;
  };
  return {
    offset: BigInt(offset),
    key,
    headers: new Map(headers.map(([name, bytes]) => [name, Buffer.from(bytes, 'base64')])),
    value: value === null ? null : Buffer.from(value, 'base64'),
    timestamp,
  };
}
