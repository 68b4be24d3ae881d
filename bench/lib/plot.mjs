import { parse, View } from 'vega';
import { compile } from 'vega-lite';

/** @returns an SVG of points joined by a line; the axis of costs begins at 0, or a slope would look like a cliff */
export function plot(values, { x, y, title }) {
  const { spec } = compile({
    title,
    width: 480,
    height: 240,
    background: 'white',
    data: { values },
    mark: { type: 'line', point: true },
    encoding: {
      x: { field: x.field, type: 'quantitative', title: x.title },
      y: { field: y.field, type: 'quantitative', title: y.title, scale: { zero: true } },
    },
  });
  return new View(parse(spec), { renderer: 'none' }).toSVG();
}
