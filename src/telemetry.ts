/** The OpenTelemetry SDK, and the only place that knows it. Loaded before whatever it instruments; telemetry that fails never stops the feed. */
import { context, DiagLogLevel, diag, metrics, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  type InstrumentationBase,
  type InstrumentationModuleDefinition,
  registerInstrumentations,
} from '@opentelemetry/instrumentation';
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg';
import { RuntimeNodeInstrumentation } from '@opentelemetry/instrumentation-runtime-node';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { type IMetricReader, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import {
  AlwaysOffSampler,
  BatchSpanProcessor,
  type Sampler,
  type SpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { register } from 'import-in-the-middle/register-hooks.mjs';
import type { Config } from './config.js';
import { httpInstrumentation } from './telemetry/http.js';
import { Keeper, RoadSampler } from './telemetry/sampling.js';

const FLUSH_MS = 2_000;

export interface Telemetry {
  /** What does not work; the service runs without it. */
  readonly problems: readonly string[];
  /** Exports what is left, for at most 2 s. */
  stop(): Promise<void>;
}

/** Never throws: what cannot be measured is served all the same. */
export async function startTelemetry(config: Config): Promise<Telemetry> {
  const problems: string[] = [];
  const nothing: Telemetry = { problems, stop: async () => undefined };
  if (config.OTEL_SDK_DISABLED === 'true') return nothing;
  try {
    const { tracers, meters } = await start(config, problems);
    return {
      problems,
      stop: () =>
        Promise.race([
          Promise.allSettled([tracers.shutdown(), meters.shutdown()]).then(() => undefined),
          new Promise<void>((resolve) => setTimeout(resolve, FLUSH_MS).unref()),
        ]),
    };
  } catch (error) {
    problems.push(`no telemetry (${String(error)})`);
    return nothing;
  }
}

async function start(config: Config, problems: string[]) {
  register();
  diag.setLogger(quiet, { logLevel: DiagLogLevel.ERROR, suppressOverrideMessage: true });
  const resource = resourceFromAttributes({
    'service.name': 'hallway',
    'service.instance.id': `${config.ROLE}-${process.pid}`,
    'hallway.role': config.ROLE,
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  const meters = new MeterProvider({ resource, readers: await readersOf(config, problems) });
  metrics.setGlobalMeterProvider(meters);
  const tracers = new TracerProvider({ resource, ...tracesOf(config), spanLimits: { linkCountLimit: 128 } });
  trace.setGlobalTracerProvider(tracers);
  // Now, and not above: what is made of a meter before there is a provider measures nothing for ever.
  const signals = await import('#libs/signals');
  const http = httpInstrumentation(signals.spanContextOf);
  const pg = new PgInstrumentation({ requireParentSpan: true, ignoreConnectSpans: true });
  registerInstrumentations({
    tracerProvider: tracers,
    meterProvider: meters,
    instrumentations: [http, pg, new RuntimeNodeInstrumentation()],
  });
  signals.observe({
    instrumented: () => [
      [Number(isPatched(http)), { lib: 'http' }],
      [Number(isPatched(pg)), { lib: 'pg' }],
    ],
  });
  return { tracers, meters };
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

/** The library was met and patched. One loaded too early, or of a version that the instrumentation does not know, is left alone in silence. */
function isPatched(instrumentation: InstrumentationBase): boolean {
  // Not `getModuleDefinitions()`, which makes them anew; test/e2e/telemetry.e2e-spec.ts would see them gone.
  const { _modules: modules } = instrumentation as unknown as { readonly _modules?: InstrumentationModuleDefinition[] };
  return modules?.some(({ moduleExports }) => moduleExports !== undefined) ?? false;
}
