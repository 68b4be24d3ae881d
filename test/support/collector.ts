/** Takes what processes export over OTLP (JSON), as a collector would. */
import { spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { freePort, until } from './process.js';

export interface ExportedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly attributes: Readonly<Record<string, unknown>>;
  /** Role of the process it is of. */
  readonly role: unknown;
}

interface Attribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

interface Export {
  readonly resourceSpans?: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly {
      readonly spans: readonly (Omit<ExportedSpan, 'attributes' | 'role'> & { readonly attributes: Attribute[] })[];
    }[];
  }[];
}

const plain = (attributes: readonly Attribute[]) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

export interface Collector {
  readonly url: string;
  readonly spans: readonly ExportedSpan[];
  /** All that came in, spans and metrics, as it was sent. */
  text(): string;
  /** Requests so far. */
  requests(): number;
  close(): Promise<void>;
}

/** @param silent it takes connections and never answers */
export async function startCollector(silent = false): Promise<Collector> {
  const spans: ExportedSpan[] = [];
  const texts: string[] = [];
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    if (silent) return;
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8');
      texts.push(text);
      const { resourceSpans = [] } = JSON.parse(text) as Export;
      for (const { resource, scopeSpans } of resourceSpans) {
        const role = plain(resource.attributes)['hallway.role'];
        for (const span of scopeSpans.flatMap((scope) => scope.spans))
          spans.push({ ...span, attributes: plain(span.attributes), role });
      }
      response.setHeader('content-type', 'application/json').end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    text: () => texts.join('\n'),
    requests: () => requests,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Spans whose parent, or one of whose links, is nowhere to be found. @param outside ids of spans of others */
export function orphansOf(
  spans: readonly ExportedSpan[],
  all: readonly ExportedSpan[],
  outside: readonly string[] = [],
): readonly ExportedSpan[] {
  const known = new Set([...all.map(({ spanId }) => spanId), ...outside]);
  return spans.filter(
    ({ parentSpanId, links = [] }) =>
      (parentSpanId && !known.has(parentSpanId)) || links.some(({ spanId }) => !known.has(spanId)),
  );
}

export interface RealCollector {
  readonly url: string;
  /** What its debug exporter has printed. */
  output(): string;
  end(): Promise<void>;
}

/** Where the real collector lies, built if need be; null: without Go there is none, said in one line. @throws Go is there, and it could not be built */
export function realCollector(): string | null {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/otelcol.mjs'], { encoding: 'utf8' });
  if (status === 0) return stdout.trim();
  if (status !== 2) throw new Error(`the collector could not be built: ${stderr}`);
  process.stderr.write(`skipped, no OpenTelemetry Collector: ${stdout}`);
  return null;
}

/** It prints every span and metric it gets. @param folder for its configuration */
export async function startRealCollector(binary: string, folder: string): Promise<RealCollector> {
  const port = await freePort();
  const file = path.join(folder, 'otelcol.yaml');
  const pipeline = { receivers: ['otlp'], exporters: ['debug'] };
  const configuration = {
    receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${port}` } } } },
    exporters: { debug: { verbosity: 'detailed', sampling_initial: 10_000 } },
    service: { telemetry: { metrics: { level: 'none' } }, pipelines: { traces: pipeline, metrics: pipeline } },
  };
  writeFileSync(file, JSON.stringify(configuration)); // YAML, too.
  const child = spawn(binary, ['--config', file], { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  await until('the collector is ready', () => text.includes('Everything is ready'));
  return {
    url: `http://127.0.0.1:${port}`,
    output: () => text,
    async end() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
