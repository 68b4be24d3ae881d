import { afterEach, describe, expect, it } from '@jest/globals';
import {
  context,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { KEEP, Keeper, RoadSampler } from './sampling.js';

const exporter = new InMemorySpanExporter();

function tracerAt(ratio: number, scope = 'hallway.test') {
  const spanProcessors = [new Keeper(new SimpleSpanProcessor({ exporter }))];
  return new TracerProvider({ sampler: new RoadSampler(ratio), spanProcessors }).getTracer(scope);
}

const remote = (traceFlags: number): SpanContext => ({
  traceId: 'a'.repeat(32),
  spanId: 'b'.repeat(16),
  traceFlags,
  isRemote: true,
});
const below = (span: Span) => trace.setSpan(ROOT_CONTEXT, span);
const told = () =>
  exporter.getFinishedSpans().map(({ name, parentSpanContext }) => [name, parentSpanContext?.spanId ?? null]);

describe('what is exported', () => {
  afterEach(() => {
    exporter.reset();
    context.disable();
  });

  it('at ratio 0: nothing but what was refused, and what it stands under; nothing in between', () => {
    const tracer = tracerAt(0);
    for (const isRefused of [false, true]) {
      const post = tracer.startSpan('POST', { kind: SpanKind.SERVER }, ROOT_CONTEXT);
      const command = tracer.startSpan('command', {}, below(post));
      const statement = tracer.startSpan('pg.query', {}, below(command));
      statement.end();
      if (isRefused) command.setAttribute(KEEP, true);
      command.end();
      post.end();
      expect(told()).toEqual(
        isRefused
          ? [
              ['command', post.spanContext().spanId],
              ['POST', null],
            ]
          : [],
      );
    }
  });

  it('what is kept after its parent has ended, or under one of another process, is the first of its trace', () => {
    const tracer = tracerAt(0);
    const post = tracer.startSpan('POST', { kind: SpanKind.SERVER }, ROOT_CONTEXT);
    const late = tracer.startSpan('command', { attributes: { [KEEP]: true } }, below(post));
    post.end();
    late.end();
    const links = [{ context: remote(0) }];
    const parent = trace.setSpanContext(ROOT_CONTEXT, remote(0));
    tracer.startSpan('dead letter', { attributes: { [KEEP]: true }, links }, parent).end();
    expect(told()).toEqual([
      ['command', null],
      ['dead letter', null],
    ]);
    const [, letter] = exporter.getFinishedSpans();
    expect(letter?.spanContext()).toMatchObject({ traceId: 'a'.repeat(32), traceFlags: 1 });
    expect(letter?.links).toEqual([]);
  });

  it('a parent decides; without one the causes do, whatever the ratio; without any the ratio does', () => {
    const [never, always] = [tracerAt(0), tracerAt(1)];
    const under = (flags: number) => trace.setSpanContext(ROOT_CONTEXT, remote(flags));
    never.startSpan('under a sampled one', {}, under(1)).end();
    always.startSpan('under another', {}, under(0)).end();
    never
      .startSpan('of a sampled cause', { links: [{ context: remote(0) }, { context: remote(1) }] }, ROOT_CONTEXT)
      .end();
    always.startSpan('of other causes', { links: [{ context: remote(0) }] }, ROOT_CONTEXT).end();
    never.startSpan('of none', {}, ROOT_CONTEXT).end();
    always.startSpan('of none, always', {}, ROOT_CONTEXT).end();
    expect(told().map(([name]) => name)).toEqual(['under a sampled one', 'of a sampled cause', 'of none, always']);
  });

  it('messages of errors that a library put down stay here', () => {
    const failed = (scope: string) => {
      const span = tracerAt(1, scope).startSpan('pg.query', {}, ROOT_CONTEXT);
      span.recordException(new Error('a secret'));
      span.setStatus({ code: SpanStatusCode.ERROR, message: 'a secret' }).end();
      return exporter.getFinishedSpans().at(-1);
    };
    expect(failed('@opentelemetry/instrumentation-pg')).toMatchObject({
      events: [],
      status: { code: SpanStatusCode.ERROR },
    });
    expect(failed('@opentelemetry/instrumentation-pg')?.status).toEqual({ code: SpanStatusCode.ERROR });
    expect(failed('hallway.projector')?.status.message).toBe('a secret');
  });
});
