// Writes docs/openapi.yaml, docs/asyncapi.yaml and the tables of docs/operations.md and docs/limits.md from the built code. A test fails when they are stale.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import './require-node.mjs';

const { openApi } = await import('../dist/src/doors/http/openapi.js');
const { asyncApi } = await import('../dist/src/doors/asyncapi.js');
const { configTable } = await import('../dist/src/config.js');
const plain = (document) => JSON.parse(JSON.stringify(document));

for (const [name, document] of [
  ['openapi', openApi('http://127.0.0.1:3000')],
  ['asyncapi', asyncApi()],
]) {
  const text = stringify(plain(document), { lineWidth: 120, aliasDuplicateObjects: false });
  writeFileSync(`docs/${name}.yaml`, `# Generated: npm run contracts\n${text}`);
}

/** Replaces what stands between two comments of a page. */
function fill(page, name, text) {
  const before = readFileSync(page, 'utf8');
  const between = new RegExp(`(<!-- ${name}: .*? -->\\n)[^]*?(<!-- /${name} -->)`);
  writeFileSync(page, before.replace(between, (_, from, to) => `${from}${text}\n${to}`));
}

fill('docs/operations.md', 'configuration', configTable());

const { limitsTable } = await import('../dist/src/ops/limits-page.js');
const isSource = (file) => file.endsWith('.ts') && !/spec\.ts$|\.d\.ts$/.test(file);
const files = ['src', 'libs'].flatMap((root) => readdirSync(root, { recursive: true }).map((file) => `${root}/${file}`)).filter(isSource);
const sources = new Map(files.sort().map((file) => [file, readFileSync(file, 'utf8')]));
fill('docs/limits.md', 'limits', await limitsTable(sources, (file) => import(`../dist/${file.replace(/\.ts$/, '.js')}`)));
