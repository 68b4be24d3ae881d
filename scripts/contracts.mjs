// Writes docs/openapi.yaml, docs/asyncapi.yaml and the table of docs/operations.md from the built schemas. A test fails when they are stale.
import { readFileSync, writeFileSync } from 'node:fs';
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

const operations = readFileSync('docs/operations.md', 'utf8');
writeFileSync(
  'docs/operations.md',
  operations.replace(/(<!-- configuration: .*? -->\n)[^]*?(<!-- \/configuration -->)/, (_, from, to) => `${from}${configTable()}\n${to}`),
);
