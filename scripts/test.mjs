// Runs the tests, fastest kind first, and closes with one line that sums them up. Arguments name kinds (unit, integration, e2e) to run only these.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import './require-node.mjs';

const KINDS = ['unit', 'integration', 'e2e'];
const chosen = process.argv.slice(2);
const folder = mkdtempSync(path.join(tmpdir(), 'hallway-reports-'));
const sum = { passed: 0, failed: 0, skipped: 0 };

for (const kind of KINDS.filter((kind) => chosen.length === 0 || chosen.includes(kind))) {
  const report = path.join(folder, `${kind}.json`);
  const { status } = spawnSync(
    'node',
    [
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      'node_modules/jest/bin/jest.js',
      '--selectProjects',
      kind,
      '--json',
      `--outputFile=${report}`,
      // Suites with a browser and several processes share two cores badly.
      ...(kind === 'e2e' ? ['--runInBand'] : []),
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
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
