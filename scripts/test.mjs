// Runs the tests, fastest kind first, and closes with one line that sums them up. Arguments name kinds (unit, integration, e2e, e2e-on-kafka) to run only these.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import './require-node.mjs';

// Suites with a browser and several processes share two cores badly.
const alone = ['--runInBand'];
// Suites with a database or a broker wait more than they work: three share two cores well.
const three = ['--maxWorkers=3'];
const KINDS = {
  unit: { args: ['--selectProjects', 'unit'] },
  integration: { args: ['--selectProjects', 'integration', ...three] },
  e2e: { args: ['--selectProjects', 'e2e', ...alone] },
  // The road as people walk it, once more with its log on a real Kafka; TEST_LOG=kafka does that to any suite.
  'e2e-on-kafka': {
    args: ['--selectProjects', 'e2e', ...alone, '--testPathPatterns', '/(newcomer|projectors|rooms|screen)\\.e2e-spec'],
    environment: { TEST_LOG: 'kafka' },
    missing: () => {
      const { status, stdout } = spawnSync('node', ['scripts/kafka.mjs', 'check'], { encoding: 'utf8' });
      return status === 0 ? undefined : stdout.trim();
    },
  },
};
const chosen = process.argv.slice(2);
const unknown = chosen.filter((name) => !Object.hasOwn(KINDS, name));
if (unknown.length > 0) {
  process.stderr.write(`unknown: ${unknown.join(', ')}; there are ${Object.keys(KINDS).join(', ')}\n`);
  process.exit(2);
}
const folder = mkdtempSync(path.join(tmpdir(), 'hallway-reports-'));
const sum = { passed: 0, failed: 0, skipped: 0 };

for (const [kind, { args, environment = {}, missing }] of Object.entries(KINDS)) {
  if (chosen.length > 0 && !chosen.includes(kind)) continue;
  const lacking = missing?.();
  if (lacking) {
    process.stderr.write(`skipped, ${kind}: ${lacking}; or run \`npm run setup\`\n`);
    sum[process.env.CI === 'true' ? 'failed' : 'skipped'] += 1;
    continue;
  }
  process.stderr.write(`${kind}\n`);
  const report = path.join(folder, `${kind}.json`);
  const jest = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js'];
  const { status } = spawnSync('node', [...jest, ...args, '--json', `--outputFile=${report}`], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, ...environment },
  });
  if (!existsSync(report)) {
    process.stderr.write(`${kind}: Jest ended without a report (exit ${status})\n`);
    sum.failed += 1;
    continue;
  }
  const result = JSON.parse(readFileSync(report, 'utf8'));
  sum.passed += result.numPassedTests;
  sum.failed += result.numFailedTests + result.numRuntimeErrorTestSuites;
  sum.skipped += result.numPendingTests;
  if (status !== 0 && result.numFailedTests + result.numRuntimeErrorTestSuites === 0) sum.failed += 1;
}
rmSync(folder, { recursive: true });
process.stdout.write(`${sum.passed} passed, ${sum.failed} failed${sum.skipped > 0 ? `, ${sum.skipped} skipped` : ''}\n`);
process.exit(sum.failed > 0 || sum.passed === 0 ? 1 : 0);
