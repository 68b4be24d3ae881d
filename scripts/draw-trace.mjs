// `npm run docs:trace`: the trace that test/e2e/trace.e2e-spec.ts kept of its first road (test/artifacts/trace.json) as docs/images/trace.svg.
import { readFileSync, writeFileSync } from 'node:fs';
import { parse, View } from 'vega';
import { compile } from 'vega-lite';

const spans = JSON.parse(readFileSync('test/artifacts/trace.json', 'utf8'));
const ms = (nanos) => Number(BigInt(nanos) / 1_000n) / 1_000;
const begin = Math.min(...spans.map(({ startTimeUnixNano }) => ms(startTimeUnixNano)));
const known = new Set(spans.map(({ spanId }) => spanId));
const children = (parent) =>
  spans
    .filter(({ parentSpanId }) => (known.has(parentSpanId) ? parentSpanId : undefined) === parent)
    .toSorted((a, b) => ms(a.startTimeUnixNano) - ms(b.startTimeUnixNano));

function* inOrder(parent, depth) {
  for (const { spanId, name, role, startTimeUnixNano, endTimeUnixNano } of children(parent)) {
    const [from, to] = [ms(startTimeUnixNano) - begin, ms(endTimeUnixNano) - begin];
    const label = `${'· '.repeat(depth)}${name.replace(/ t_\w+$/, '')}`;
    yield { id: spanId, label, role, from, to: Math.max(to, from + 0.7), told: `${(to - from).toFixed(1)} ms` };
    yield* inOrder(spanId, depth + 1);
  }
}

const values = [...inOrder(undefined, 0)].map((row, order) => ({ ...row, order }));
const labels = Object.fromEntries(values.map(({ id, label }) => [id, label]));
const y = {
  field: 'id',
  type: 'nominal',
  sort: { field: 'order' },
  title: null,
  axis: { labelAlign: 'left', labelPadding: 190, labelLimit: 190, labelExpr: `${JSON.stringify(labels)}[datum.value]` },
};
const { spec } = compile({
  width: 560,
  height: { step: 24 },
  background: 'white',
  data: { values },
  encoding: { y, x: { field: 'from', type: 'quantitative', title: 'milliseconds since the request came in' } },
  layer: [
    {
      mark: { type: 'bar', height: 14 },
      encoding: { x2: { field: 'to' }, color: { field: 'role', type: 'nominal', title: 'process' } },
    },
    { mark: { type: 'text', align: 'left', dx: 6, fontSize: 10 }, encoding: { x: { field: 'to', type: 'quantitative' }, text: { field: 'told' } } },
  ],
});
writeFileSync('docs/images/trace.svg', await new View(parse(spec), { renderer: 'none' }).toSVG());
