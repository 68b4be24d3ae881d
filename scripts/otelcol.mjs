// A real OpenTelemetry Collector for tests, built once from its own modules by `go` into a cache folder. `node scripts/otelcol.mjs` prints where it is.
// There is no package of it; only Go's module proxy is asked. Cold it takes one to four minutes, afterwards nothing.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

// All of one release: mixed ones do not compile. What ops/collector.yml names is in it, so that it can be validated.
const VERSION = '0.150.0';
const PROVIDERS = '1.56.0';
const modules = (names, version) => names.map((name) => `{gomod: go.opentelemetry.io/collector/${name} v${version}}`).join(', ');
const MANIFEST = `dist: {name: otelcol, output_path: ./out, module: local/otelcol, version: ${VERSION}}
receivers: [${modules(['receiver/otlpreceiver'], VERSION)}]
processors: [${modules(['processor/batchprocessor'], VERSION)}]
exporters: [${modules(['exporter/debugexporter', 'exporter/otlpexporter', 'exporter/nopexporter'], VERSION)}]
providers: [${modules(['confmap/provider/envprovider', 'confmap/provider/fileprovider', 'confmap/provider/yamlprovider'], PROVIDERS)}]
`;
const CACHE = path.resolve(import.meta.dirname, '../.cache');
const BUILD_MS = 480_000;

const home = path.join(CACHE, `otelcol-${VERSION}-${createHash('sha256').update(MANIFEST).digest('hex').slice(0, 8)}`);
const binary = path.join(home, 'otelcol');

function run(command, args, folder) {
  const { status, error, stdout, stderr } = spawnSync(command, args, {
    cwd: folder,
    encoding: 'utf8',
    timeout: BUILD_MS,
    env: { ...process.env, GOBIN: folder },
  });
  if (error || status !== 0) throw new Error(`${command} ${args[0]}: ${error?.message ?? `${stdout}${stderr}`.slice(-2_000)}`);
}

function build() {
  mkdirSync(CACHE, { recursive: true });
  // Made aside and renamed when whole: what was cut off is never used, and two at once do not meet.
  const draft = mkdtempSync(`${home}.part-`);
  try {
    process.stderr.write('otelcol: building the collector once, this takes some minutes …\n');
    run('go', ['install', `go.opentelemetry.io/collector/cmd/builder@v${VERSION}`], draft);
    writeFileSync(path.join(draft, 'manifest.yaml'), MANIFEST);
    run(path.join(draft, 'builder'), ['--config', 'manifest.yaml'], draft);
    const whole = path.join(draft, 'whole');
    mkdirSync(whole);
    renameSync(path.join(draft, 'out/otelcol'), path.join(whole, 'otelcol'));
    if (!existsSync(binary)) renameSync(whole, home);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

if (!existsSync(binary)) {
  if (spawnSync('go', ['version'], { stdio: 'ignore' }).status !== 0) {
    process.stdout.write('Go is missing (https://go.dev/dl, 1.25 or newer)\n');
    process.exit(2);
  }
  build();
}
process.stdout.write(`${binary}\n`);
