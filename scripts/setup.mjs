// Gets what the tests need beyond Node: Chromium for the pages, Java, Maven and kcat for Kafka. Installs through Debian's packages where it may, and otherwise names it.
import { spawnSync } from 'node:child_process';
import './require-node.mjs';

const NEEDS = [
  { command: 'chromium', packages: ['chromium'], what: 'Chromium (tests of the pages)' },
  { command: 'java', packages: ['openjdk-17-jre-headless'], what: 'Java 17 (Kafka, in tests and npm run kafka)' },
  { command: 'mvn', packages: ['maven'], what: 'Maven (fetches Kafka once)' },
  { command: 'promtool', packages: ['prometheus'], what: 'promtool (tests of the alerts)' },
  { command: 'caddy', packages: ['caddy'], what: 'Caddy (tests of the proxy)' },
  { command: 'pgbouncer', packages: ['pgbouncer'], what: 'PgBouncer (tests of what a pooler breaks)' },
  { command: 'kcat', packages: ['kcat'], what: 'kcat (tests of foreign producers)' },
];

const has = (command) => spawnSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' }).status === 0;
const run = (command, args) =>
  spawnSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } }).status === 0;

const missing = NEEDS.filter((need) => !has(need.command));
if (missing.length === 0 && process.env.npm_lifecycle_event === 'setup') process.stdout.write('setup: nothing is missing\n');
if (missing.length > 0) {
  const packages = missing.flatMap((need) => need.packages);
  const mayInstall = process.getuid?.() === 0 && has('apt-get');
  if (mayInstall) {
    process.stderr.write(`setup: installing ${packages.join(', ')} …\n`);
    if (run('apt-get', ['update', '-qq'])) run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages]);
  }
  const still = missing.filter((need) => !has(need.command));
  for (const need of still) {
    process.stderr.write(`setup: ${need.what} is missing; install it (Debian: apt-get install ${need.packages.join(' ')}).\n`);
  }
  if (still.length > 0 && process.env.CI === 'true') process.exit(1);
}
