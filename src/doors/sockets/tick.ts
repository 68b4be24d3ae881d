/** What one tick wrote, told when its last slice is out: spans for whoever follows a trace, the metric for whoever watches the hall. */
import { SpanKind, trace } from '@opentelemetry/api';
import type { ConferenceFeed, EncodedFrame } from '#libs/feed';
import type { ClientClass } from '#libs/protocol';
import { causesOf, recorded } from '#libs/signals';
import { type Packet, packetOf } from './fan-out.js';

const tracer = trace.getTracer('hallway.doors');
/** Spans of single frames per tick; a storm over hundreds of channels is told by the tick's own span. */
const MAX_FRAME_SPANS = 20;

/** A frame as it leaves, and how many sockets of this tick got it. */
export interface Due {
  readonly frame: EncodedFrame;
  readonly packet: Packet;
  sockets: number;
}

/** The replica gives the same frame to all who stand at the same place: classes and ticks share its packet. */
const packets = new WeakMap<EncodedFrame, Packet>();

export function framePacket(frame: EncodedFrame): Packet {
  const known = packets.get(frame);
  if (known) return known;
  const packet = packetOf('frame', frame.json);
  packets.set(frame, packet);
  return packet;
}

export class Tick {
  private readonly startedAt = Date.now();
  /** Frames and how many sockets got each. */
  private readonly written = new Map<EncodedFrame, Due>();
  private last: { readonly channel: string; readonly from: number; readonly due: Due | null } | undefined;

  constructor(
    private readonly cls: ClientClass,
    private readonly sockets: number,
  ) {}

  /**
   * What somebody at this place lacks. Nearly all stand at the same one: asking the replica again for each of them cost a fifth of a
   * tick (bench/fan-out.mjs).
   */
  due(feed: ConferenceFeed, channel: string, from: number): Due | null {
    if (this.last?.from === from && this.last.channel === channel) return this.last.due;
    const frame = feed.changes(channel, from);
    const due = frame && (this.written.get(frame) ?? { frame, packet: framePacket(frame), sockets: 0 });
    if (due) this.written.set(due.frame, due);
    this.last = { channel, from, due };
    return due;
  }

  /** Nothing was due to anybody: nothing is told. */
  end(): void {
    const written = [...this.written.values()].filter(({ sockets }) => sockets > 0);
    if (written.length === 0) return;
    const now = Date.now();
    for (const { frame } of written) {
      const { appendedAt, from } = frame;
      if (appendedAt > 0 && from !== null)
        recorded.eventToScreen.record(Math.max(now - appendedAt, 0) / 1_000, { stage: 'written', class: this.cls });
    }
    this.trace(written, now);
  }

  private trace(written: readonly Due[], now: number): void {
    const { parent, links, count } = causesOf(written.flatMap(({ frame }) => frame.traceparents));
    if (count === 0) return;
    const common = { kind: SpanKind.PRODUCER, startTime: this.startedAt } as const;
    const attributes = {
      'hallway.class': this.cls,
      'hallway.sockets': this.sockets,
      'hallway.frames': written.length,
      'hallway.causes': count,
    };
    const span = tracer.startSpan('tick', { ...common, links, attributes }, parent);
    const inside = trace.setSpan(parent, span);
    for (const { frame, sockets } of written.slice(0, MAX_FRAME_SPANS)) {
      const { channel, to, json, traceparents } = frame;
      const told = {
        'hallway.class': this.cls,
        'hallway.channel': channel,
        'hallway.to': to,
        'hallway.bytes': json.length,
        'hallway.sockets': sockets,
      };
      tracer.startSpan('frame', { ...common, links: causesOf(traceparents).links, attributes: told }, inside).end(now);
    }
    span.end(now);
  }
}
