/** I4: a stream waits behind an event that cannot be folded; an operator may drop that event, or a corrected projection folds it. */
import type { JsonObject, LoggedEvent, LogRecord } from '#libs/event-log';
import type { Toucher } from './documents.js';
import {
  appliedCommand,
  type HeldStream,
  heldStream,
  type ParkedEvent,
  parkedEvent,
  untyped,
} from './engine-tables.js';
import type { Fold, FoldVerdict } from './fold.js';
import type { CommandRecord } from './outcomes.js';
import { LoadFailed } from './overlay.js';
import { reasonOf } from './unfoldable.js';

interface ToPark {
  readonly record: LogRecord;
  readonly event: LoggedEvent;
  readonly command: CommandRecord;
  readonly by: Toucher;
  readonly reason: string;
}

export class Parking {
  constructor(private readonly fold: Fold) {}

  async isHeld(conference: string, stream: string): Promise<boolean> {
    await this.fold.overlay.ensure([{ conference, select: { table: untyped(heldStream), where: { stream } } }]);
    return this.fold.overlay.view(conference, false).get(heldStream, { stream }) !== undefined;
  }

  async park({ record, event, command, by, reason }: ToPark): Promise<void> {
    const { conference, time } = event;
    const stream = event.stream ?? '';
    const offset = Number(event.position.offset);
    const row: ParkedEvent = { stream, offset, reason, record: packRecord(record) };
    this.fold.overlay.put(conference, untyped(parkedEvent), row);
    if (!(await this.isHeld(conference, stream))) {
      const held: HeldStream = { stream, since: time, offset };
      await this.fold.documents.touch([this.fold.overlay.put(conference, untyped(heldStream), held)], by);
    }
    await this.fold.outcomes.hold(command, by);
  }

  /** `event-skipped {offset}`: that event is dropped and the rest of its stream folds here, in order, until the next that cannot. */
  async skip(event: LoggedEvent, by: Toucher): Promise<FoldVerdict> {
    const { conference } = event;
    const { overlay, input } = this.fold;
    const offset = Number(event.data.offset);
    const rows = overlay.view(conference, false);
    await overlay.ensure([{ conference, select: { table: untyped(parkedEvent), where: { offset } } }]);
    const dropped = rows.get(parkedEvent, { offset });
    // In a later build it was dropped at its own offset already.
    if (!dropped)
      return input.isSkipped(conference, offset) ||
        this.fold.skipped.some((one) => one.conference === conference && one.offset === offset)
        ? { changed: true, noEffect: null }
        : { changed: false, noEffect: 'nothing is parked at this offset' };
    const { stream } = dropped;
    await overlay.ensure([
      { conference, select: { table: untyped(parkedEvent), where: { stream } } },
      { conference, select: { table: untyped(heldStream), where: { stream } } },
    ]);
    this.fold.skipped.push({ conference, offset, by: event.actor, at: event.time });
    await this.unpark(conference, dropped, { changed: false, noEffect: 'dropped by an operator' }, by);
    const waiting = [...rows.all(parkedEvent, { stream })].sort((a, b) => a.offset - b.offset);
    for (const parked of waiting) {
      const verdict = await this.tryFold(parked, by);
      if (typeof verdict === 'string') {
        await this.holdFrom(conference, { ...parked, reason: verdict }, by);
        return { changed: true, noEffect: null };
      }
      await this.unpark(conference, parked, verdict, by);
    }
    await this.fold.documents.touch([overlay.remove(conference, untyped(heldStream), { stream })], by);
    return { changed: true, noEffect: null };
  }

  /** @returns what came of it, or why it still cannot be folded */
  private async tryFold(parked: ParkedEvent, by: Toucher): Promise<FoldVerdict | string> {
    const [decoded] = await this.fold.decode([unpackRecord(parked)]);
    if (!decoded || !('event' in decoded))
      return decoded && 'failure' in decoded ? decoded.failure.reason : 'unreadable';
    try {
      return await this.fold.foldEvent(decoded.event, by);
    } catch (error) {
      if (error instanceof LoadFailed) throw error;
      return reasonOf(error);
    }
  }

  /** The stream stays held; what an operator sees is the event that now holds it. */
  private async holdFrom(conference: string, parked: ParkedEvent, by: Toucher): Promise<void> {
    const { overlay, documents } = this.fold;
    const { stream, offset } = parked;
    overlay.put(conference, untyped(parkedEvent), parked);
    const since = overlay.view(conference, false).get(heldStream, { stream })?.since ?? '';
    await documents.touch(
      [overlay.put(conference, untyped(heldStream), { stream, since, offset } satisfies HeldStream)],
      by,
    );
  }

  private async unpark(conference: string, parked: ParkedEvent, verdict: FoldVerdict, by: Toucher): Promise<void> {
    this.fold.overlay.remove(conference, untyped(parkedEvent), { offset: parked.offset });
    const commandId = unpackRecord(parked).headers.get('ce_commandid')?.toString('utf8') ?? '';
    await this.fold.overlay.ensure([{ conference, select: { table: untyped(appliedCommand), where: { commandId } } }]);
    const actor = this.fold.overlay.view(conference, false).get(appliedCommand, { commandId })?.actor ?? '';
    await this.fold.outcomes.release({ conference, commandId, actor }, verdict, by);
  }
}

/** Records as JSON for the parked table; bytes stay exact. */
function packRecord({ key, headers, value, timestamp }: LogRecord): JsonObject {
  const packed = [...headers].map(([name, bytes]) => [name, bytes.toString('base64')]);
  return { key, headers: packed, value: value?.toString('base64') ?? null, timestamp };
}

function unpackRecord({ offset, record }: ParkedEvent): LogRecord {
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
