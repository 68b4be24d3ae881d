/** What we export is understood by the collector that operators run, and the configuration that we ship is one of its own. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTokens } from '../../src/doors/tokens/tokens.js';
import { type RealCollector, realCollector, startRealCollector } from '../support/collector.js';
import { api, openDemo, type ServiceProcess, startProcess, until } from '../support/process.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const binary = realCollector();
const suite = binary === null ? describe.skip : describe;

suite('a real OpenTelemetry Collector', () => {
  const otelcol = binary ?? '';
  let folder: string;
  let database: TestDatabase;
  let collector: RealCollector;
  let service: ServiceProcess;

  beforeAll(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'hallway-otelcol-'));
    database = await createTestDatabase();
    collector = await startRealCollector(otelcol, folder);
    service = await startProcess({
      DATABASE_URL: database.url,
      LOG_LEVEL: 'warn',
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    });
    await service.printed(/is ready/);
  }, 60_000);

  afterAll(async () => {
    await service?.end('SIGTERM');
    await collector?.end();
    await database?.drop();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  it('finds nothing wrong with ops/collector.yml', () => {
    const { status, stderr } = spawnSync(otelcol, ['validate', '--config', 'ops/collector.yml'], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
  });

  it('I12: gets the spans of a command and our metrics, as they were meant', async () => {
    const tokens = await createTokens(database.pool);
    const token = await tokens.issue({ actor: 'olga', role: 'organizer', conference: '*' }, 600);
    await openDemo(api(() => service.url, token));
    const has = (...words: string[]) => words.every((word) => collector.output().includes(word));
    const spans = ['command', 'append', 'project'].map((name) => `Name           : ${name}`);
    await until('the spans are there', () => has(...spans), 10_000);
    expect(has('Kind           : Server', 'Kind           : Producer', 'Kind           : Consumer')).toBe(true);
    expect(has('hallway.command: Str(open-conference)', 'http.route: Str(/v1/conferences/:conference/commands)')).toBe(
      true,
    );
    // Metrics go out every 15 s, and at the end.
    await service.end('SIGTERM');
    await until('the metrics are there', () => has('Name: feed.command.duration', 'Name: feed.append.duration'));
    expect(collector.output()).toMatch(/Unit: s\n.*DataType: Histogram/);
    expect(collector.output()).not.toMatch(/^\S+\terror\t/m);
  }, 60_000);
});
