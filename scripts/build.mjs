// Builds server and pages into dist/. With --if-stale it builds only when a source is newer than the last complete build.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import './require-node.mjs';

const STAMP = 'dist/.built';
const SOURCES = ['src', 'libs', 'migrations', 'package.json', 'tsconfig.json', '.swcrc', 'nest-cli.json', 'vite.config.mjs'];
const isTest = (name) => /\.(int-|e2e-)?spec\.ts$/.test(name);

function newest(file) {
  const stat = statSync(file);
  if (!stat.isDirectory()) return isTest(file) ? 0 : stat.mtimeMs;
  return Math.max(0, ...readdirSync(file).map((name) => newest(path.join(file, name))));
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'], shell: false });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

const fresh = existsSync(STAMP) && SOURCES.every((source) => newest(source) <= statSync(STAMP).mtimeMs);
if (!(process.argv.includes('--if-stale') && fresh)) {
  const started = Date.now();
  run('node', ['node_modules/@nestjs/cli/bin/nest.js', 'build']);
  run('node', ['node_modules/vite/bin/vite.js', 'build', '--logLevel', 'warn']);
  run('node', ['node_modules/vite/bin/vite.js', 'build', '--logLevel', 'warn', '--mode', 'join']);
  // npx sets this when it first links the command, and never again after a build.
  chmodSync('dist/src/cli/main.js', 0o755);
  writeFileSync(STAMP, '');
  process.stderr.write(`built in ${((Date.now() - started) / 1000).toFixed(1)} s\n`);
}
