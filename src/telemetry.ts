/** The OpenTelemetry SDK, and the only file that knows it. Loaded before whatever it instruments; telemetry that fails never stops the feed. */
import { context, DiagLogLevel, diag, metrics, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg';
import { RuntimeNodeInstrumentation } from '@opentelemetry/instrumentation-runtime-node';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { type IMetricReader, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import {
  AlwaysOffSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type ReadableSpan,
  type Sampler,
  SamplingDecision,
  type SamplingResult,
  type SpanProcessor,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { register } from 'import-in-the-middle/register-hooks.mjs';
import type { Config } from './config.js';

/** A span that carries it is exported whatever the sampler said: refusals and dead letters are rare, and asked about. */
const KEEP = 'hallway.keep';
const FLUSH_MS = 2_000;
/** What is asked for all day by machines and says nothing. */
const NOISE = /^\/(healthz|readyz|assets\/|favicon)/;

export interface Telemetry {
  /** What does not work; the service runs without it. */
  readonly problems: readonly string[];
  /** Exports what is left, for at most 2 s. */
  stop(): Promise<void>;
}

export async function startTelemetry(config: Config): Promise<Telemetry> {
  const problems: string[] = [];
  if (config.OTEL_SDK_DISABLED === 'true') return { problems, stop: async () => undefined };
  register();
  diag.setLogger(quiet, { logLevel: DiagLogLevel.ERROR, suppressOverrideMessage: true });
  const resource = resourceFromAttributes({
    'service.name': 'hallway',
    'service.instance.id': `${config.ROLE}-${process.pid}`,
    'hallway.role': config.ROLE,
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  const meters = new MeterProvider({ resource, readers: await readersOf(config, problems) });
  metrics.setGlobalMeterProvider(meters);
  const tracers = new TracerProvider({ resource, ...tracesOf(config), spanLimits: { linkCountLimit: 128 } });
  trace.setGlobalTracerProvider(tracers);
  registerInstrumentations({
    tracerProvider: tracers,
    meterProvider: meters,
    instrumentations: [
      new HttpInstrumentation({ ignoreIncomingRequestHook: ({ url = '' }) => NOISE.test(url) || url === '/metrics' }),
      new PgInstrumentation({ requireParentSpan: true, ignoreConnectSpans: true }),
      new RuntimeNodeInstrumentation(),
    ],
  });
  return {
    problems,
    stop: () =>
      Promise.race([
        Promise.allSettled([tracers.shutdown(), meters.shutdown()]).then(() => undefined),
        new Promise<void>((resolve) => setTimeout(resolve, FLUSH_MS).unref()),
      ]),
  };
}

/** Errors of an exporter are counted by the collector's own absence; a line per batch in our log would drown what matters. */
const nothing = () => undefined;
const quiet = { error: nothing, warn: nothing, info: nothing, debug: nothing, verbose: nothing };

async function readersOf(config: Config, problems: string[]): Promise<IMetricReader[]> {
  const readers: IMetricReader[] = [];
  if (config.METRICS_PORT !== 'off') {
    const exporter = new PrometheusExporter({ host: config.HOST, port: config.METRICS_PORT, preventServerStart: true });
    await exporter.startServer().then(
      () => readers.push(exporter),
      (error: NodeJS.ErrnoException) =>
        problems.push(
          `no metrics on ${config.HOST}:${config.METRICS_PORT} (${error.code ?? error.message}); METRICS_PORT`,
        ),
    );
  }
  if (config.OTEL_EXPORTER_OTLP_ENDPOINT) {
    const exporter = new OTLPMetricExporter({ url: `${base(config)}/v1/metrics`, timeoutMillis: FLUSH_MS });
    readers.push(
      new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 15_000, exportTimeoutMillis: FLUSH_MS }),
    );
  }
  return readers;
}

const base = ({ OTEL_EXPORTER_OTLP_ENDPOINT: url = '' }: Config): string => url.replace(/\/$/, '');

/** Without a collector nothing is recorded; ids are made all the same, for the log, the audit and the log lines. */
function tracesOf(config: Config): { readonly sampler: Sampler; readonly spanProcessors: SpanProcessor[] } {
  if (!config.OTEL_EXPORTER_OTLP_ENDPOINT) return { sampler: new AlwaysOffSampler(), spanProcessors: [] };
  const exporter = new OTLPTraceExporter({ url: `${base(config)}/v1/traces`, timeoutMillis: FLUSH_MS });
  const batches = new BatchSpanProcessor({ exporter, scheduledDelayMillis: 1_000, exportTimeoutMillis: FLUSH_MS });
  return { sampler: new RoadSampler(config.HALLWAY_TRACE_RATIO), spanProcessors: [new Keeper(batches)] };
}

/**
 * By parent, else by one of the causes it is linked to (so that both halves of a road are there or neither), else by ratio.
 * What is not sampled at a door is recorded nevertheless: only at its end is known whether it was refused.
 */
class RoadSampler implements Sampler {
  private readonly byRatio: Sampler;

  constructor(ratio: number) {
    this.byRatio = new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) });
  }

  shouldSample(...asked: Parameters<Sampler['shouldSample']>): SamplingResult {
    const [parent, , name, , , links] = asked;
    const isRoot = trace.getSpanContext(parent) === undefined;
    if (isRoot && links.some((link) => (link.context.traceFlags & 1) === 1))
      return { decision: SamplingDecision.RECORD_AND_SAMPLED };
    const result = this.byRatio.shouldSample(...asked);
    const isDoor = name === 'command' || name === 'dead letter';
    if (result.decision === SamplingDecision.NOT_RECORD && isDoor)
      return { ...result, decision: SamplingDecision.RECORD };
    return result;
  }

  toString(): string {
    return 'RoadSampler';
  }
}

/** Hands on what was sampled, and what is to be kept. */
class Keeper implements SpanProcessor {
  constructor(private readonly next: SpanProcessor) {}

  onStart(...args: Parameters<SpanProcessor['onStart']>): void {
    this.next.onStart(...args);
  }

  onEnd(span: ReadableSpan): void {
    const own = span.spanContext();
    if ((own.traceFlags & 1) === 1 || span.attributes[KEEP] !== true) this.next.onEnd(span);
    else
      this.next.onEnd(
        Object.create(span, { spanContext: { value: () => ({ ...own, traceFlags: 1 }) } }) as ReadableSpan,
      );
  }

  forceFlush(): Promise<void> {
    return this.next.forceFlush();
  }

  shutdown(): Promise<void> {
    return this.next.shutdown();
  }
}
