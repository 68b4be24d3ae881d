/** What one tick wrote, told when its last slice is out: spans for whoever follows a trace, the metric for whoever watches the hall. */
import { SpanKind, trace } from '@opentelemetry/api';
import type { ConferenceFeed, EncodedFrame } from '#libs/feed';
import type { ClientClass } from '#libs/protocol';
import { causesOf, recorded } from '#libs/signals';

const tracer = trace.getTracer('hallway.doors');
/** Spans of single frames per tick; a storm over hundreds of channels is told by the tick's own span. */
const MAX_FRAME_SPANS = 20;

export class Tick {
  private readonly startedAt = Date.now();
  /** Frames and how many sockets got each. */
  private readonly written = new Map<EncodedFrame, number>();

  private last: { readonly channel: string; readonly from: number; readonly frame: EncodedFrame | null } | undefined;

  constructor(
    private readonly cls: ClientClass,
    private readonly sockets: number,
  ) {}

  /** Nearly all stand at the same place: asking the replica again for each of them cost a fifth of a tick (bench/fan-out.mjs). */
  changes(feed: ConferenceFeed, channel: string, from: number): EncodedFrame | null {
    if (this.last?.channel === channel && this.last.from === from) return this.last.frame;
    const frame = feed.changes(channel, from);
    this.last = { channel, from, frame };
    return frame;
  }

  wrote(frame: EncodedFrame): void {
    this.written.set(frame, (this.written.get(frame) ?? 0) + 1);
  }

  /** Nothing was due to anybody: nothing is told. */
  end(): void {
    if (this.written.size === 0) return;
    const now = Date.now();
    for (const { appendedAt, from } of this.written.keys()) {
      if (appendedAt > 0 && from !== null)
        recorded.eventToScreen.record(Math.max(now - appendedAt, 0) / 1_000, { stage: 'written', class: this.cls });
    }
    this.trace(now);
  }

  private trace(now: number): void {
    const frames = [...this.written.keys()];
    const { parent, links, count } = causesOf(frames.flatMap(({ traceparents }) => traceparents));
    if (count === 0) return;
    const common = { kind: SpanKind.PRODUCER, startTime: this.startedAt } as const;
    const attributes = {
      'hallway.class': this.cls,
      'hallway.sockets': this.sockets,
      'hallway.frames': frames.length,
      'hallway.causes': count,
    };
    const span = tracer.startSpan('tick', { ...common, links, attributes }, parent);
    const inside = trace.setSpan(parent, span);
    for (const frame of frames.slice(0, MAX_FRAME_SPANS)) {
      const { channel, to, json, traceparents } = frame;
      const told = {
        'hallway.class': this.cls,
        'hallway.channel': channel,
        'hallway.to': to,
        'hallway.bytes': json.length,
        'hallway.sockets': this.written.get(frame) ?? 0,
      };
      tracer.startSpan('frame', { ...common, links: causesOf(traceparents).links, attributes: told }, inside).end(now);
    }
    span.end(now);
  }
}
