/**
 * Which spans are exported. Whatever is, has its parent exported or has none, and its links lead somewhere: a road that ends half-way
 * looks like a fault of the road.
 */
import {
  type Context,
  type Link,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import {
  type ReadableSpan,
  type Sampler,
  SamplingDecision,
  type SamplingResult,
  type SpanProcessor,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace';

/** A span that carries it is exported whatever the sampler said: what was refused or could not be folded is rare, and asked about. */
export const KEEP = 'hallway.keep';
/** Only at their end is known whether they are to be kept: requests as well. */
const JUDGED_LATE: ReadonlySet<string> = new Set(['command', 'dead letter', 'project']);

const isSampled = ({ traceFlags }: SpanContext): boolean => (traceFlags & 1) === 1;

/**
 * By the parent; without one, by the causes that it is linked to (so that both halves of a road are there or neither); without any, by
 * ratio. What may have to be kept is recorded though it is not sampled.
 */
export class RoadSampler implements Sampler {
  private readonly byRatio: Sampler;

  constructor(ratio: number) {
    this.byRatio = new TraceIdRatioBasedSampler(ratio);
  }

  shouldSample(...asked: Parameters<Sampler['shouldSample']>): SamplingResult {
    const [, , name, kind] = asked;
    if (this.isWanted(asked)) return { decision: SamplingDecision.RECORD_AND_SAMPLED };
    const mayBeKept = kind === SpanKind.SERVER || JUDGED_LATE.has(name);
    return { decision: mayBeKept ? SamplingDecision.RECORD : SamplingDecision.NOT_RECORD };
  }

  toString(): string {
    return 'RoadSampler';
  }

  private isWanted(asked: Parameters<Sampler['shouldSample']>): boolean {
    const [context, , , , , links] = asked;
    const parent = trace.getSpanContext(context);
    if (parent) return isSampled(parent);
    if (links.length > 0) return links.some((link) => isSampled(link.context));
    return this.byRatio.shouldSample(...asked).decision === SamplingDecision.RECORD_AND_SAMPLED;
  }
}

type Told = { readonly [Name in keyof ReadableSpan]?: ReadableSpan[Name] | undefined };

/** Hands on what was sampled and what is to be kept, without texts of others. */
export class Keeper implements SpanProcessor {
  /** Local parents of spans that are not sampled. */
  private readonly parents = new WeakMap<object, Span>();

  constructor(private readonly next: SpanProcessor) {}

  onStart(...args: Parameters<SpanProcessor['onStart']>): void {
    const [span, context] = args;
    const parent = isSampled(span.spanContext()) ? undefined : recordingParent(context);
    if (parent) this.parents.set(span, parent);
    this.next.onStart(...args);
  }

  onEnd(span: ReadableSpan): void {
    if (isSampled(span.spanContext())) this.next.onEnd(exported(span, {}));
    else if (span.attributes[KEEP] === true) this.next.onEnd(exported(span, this.asKept(span)));
  }

  forceFlush(): Promise<void> {
    return this.next.forceFlush();
  }

  shutdown(): Promise<void> {
    return this.next.shutdown();
  }

  /** It stays in its trace, under a parent that is kept for its sake, or as the first that is seen of that trace. */
  private asKept(span: ReadableSpan): Told {
    const own = { ...span.spanContext(), traceFlags: 1 };
    const links = span.links.filter((link: Link) => isSampled(link.context));
    const parent = this.parents.get(span);
    const isHeld = parent?.isRecording() === true;
    if (isHeld) parent.setAttribute(KEEP, true);
    return { spanContext: () => own, links, ...(isHeld ? {} : { parentSpanContext: undefined }) };
  }
}

function recordingParent(context: Context): Span | undefined {
  const parent = trace.getSpan(context);
  return parent?.isRecording() ? parent : undefined;
}

/** A span as it leaves. Messages of errors and exceptions that libraries put down may quote what somebody wrote: no word of them. */
function exported(span: ReadableSpan, over: Told): ReadableSpan {
  const isOurs = span.instrumentationScope.name.startsWith('hallway.');
  const hasTexts = !isOurs && (span.status.code === SpanStatusCode.ERROR || span.events.length > 0);
  const told = { ...over, ...(hasTexts ? { status: { code: span.status.code }, events: [] } : {}) };
  const names = Object.entries(told);
  if (names.length === 0) return span;
  return Object.create(span, Object.fromEntries(names.map(([name, value]) => [name, { value }]))) as ReadableSpan;
}
