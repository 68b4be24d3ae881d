/** What one tick wrote, told when its last slice is out: spans for whoever follows a trace, the metric for whoever watches the hall. */

import { type Context, SpanKind, trace } from '@opentelemetry/api';
import { LRUCache } from 'lru-cache';
import type { ConferenceFeed, EncodedFrame } from '#libs/feed';
import { defineLimit } from '#libs/limits';
import type { ClientClass } from '#libs/protocol';
import { causesOf, isSampled, recorded } from '#libs/signals';
import { type Packet, packetOf } from './fan-out.js';

const tracer = trace.getTracer('hallway.doors');
/** Spans of single frames per tick; a storm over hundreds of channels is told by the tick's own span. */
const MAX_FRAME_SPANS = defineLimit({
  name: 'telemetry.frame.spans',
  value: 20,
  unit: 'items',
  beyond: 'further frames of a tick have no span',
});

/** Contexts that clients may tell of, for a phone paints late: whoever names another would decide what is traced here. */
const carried = new LRUCache<string, true>({ max: 10_000 });
export const wasCarried = (traceparent: string): boolean => carried.has(traceparent);

/** As a span may say it: the channel of one person is named by their id. */
export const toldName = (channel: string): string => (channel.startsWith('me/') ? 'me/*' : channel);

/** Later than this, and a line of the log says so. */
const LATE_MS = 2_500;

/** What one tick did, for those who count. */
export interface TickEnd {
  /** Written to all its sockets together. */
  readonly bytes: number;
  /** Of the frame that came latest, if it came late. */
  readonly late?: { readonly ms: number; readonly traceparent: string | undefined };
}

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
  end(): TickEnd {
    const written = [...this.written.values()].filter(({ sockets }) => sockets > 0);
    if (written.length === 0) return { bytes: 0 };
    const now = Date.now();
    let bytes = 0;
    let late: TickEnd['late'];
    for (const { frame, packet, sockets } of written) {
      bytes += packet.bytes.length * sockets;
      const { appendedAt, from, traceparent } = frame;
      if (traceparent) carried.set(traceparent, true);
      if (appendedAt === 0 || from === null) continue;
      const ms = Math.max(now - appendedAt, 0);
      recorded.eventToScreen.record(ms / 1_000, { stage: 'written', class: this.cls });
      if (ms > Math.max(LATE_MS, late?.ms ?? 0)) late = { ms, traceparent };
    }
    this.trace(written, now);
    return { bytes, ...(late ? { late } : {}) };
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
    if (span.isRecording()) this.traceFrames(written, trace.setSpan(parent, span), now);
    span.end(now);
  }

  private traceFrames(written: readonly Due[], inside: Context, now: number): void {
    for (const { frame, packet, sockets } of written.slice(0, MAX_FRAME_SPANS)) {
      const { channel, to, traceparents } = frame;
      const attributes = {
        'hallway.class': this.cls,
        'hallway.channel': toldName(channel),
        'hallway.to': to,
        'hallway.bytes': packet.bytes.length,
        'hallway.sockets': sockets,
      };
      // The tick may be here for the sake of another frame.
      const links = causesOf(traceparents).links.filter(({ context }) => isSampled(context));
      tracer
        .startSpan('frame', { kind: SpanKind.PRODUCER, startTime: this.startedAt, links, attributes }, inside)
        .end(now);
    }
  }
}
