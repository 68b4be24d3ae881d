/**
 * XML text → a small tree of elements. Lenient readers work on it; bounds are checked while parsing, so that a hostile file
 * costs no more than a large honest one. Entities beyond XML's own five are refused by saxes.
 */

import { SaxesParser } from 'saxes';
import { defineLimit } from '#libs/limits';
import { ScheduleUnreadable } from './reading.js';

const MAX_DEPTH = defineLimit({
  name: 'schedule.xml.depth',
  value: 32,
  unit: 'levels',
  beyond: 'the file is refused with 201',
});
const MAX_ELEMENTS = defineLimit({
  name: 'schedule.xml.elements',
  value: 400_000,
  unit: 'items',
  beyond: 'the file is refused with 201',
});

export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly Element[];
  /** Text directly inside, trimmed. */
  readonly text: string;
}

interface OpenElement {
  name: string;
  attributes: Record<string, string>;
  children: OpenElement[];
  text: string;
}

/** @throws ScheduleUnreadable with line and column, never with the text itself */
export function parseXml(xml: string): Element {
  const parser = new SaxesParser();
  const open: OpenElement[] = [];
  let root: OpenElement | undefined;
  let count = 0;
  const refuse = (why: string): never => {
    throw new ScheduleUnreadable(`line ${parser.line}, column ${parser.column}: ${why}`);
  };
  parser.on('error', (error) => refuse(error.message.replace(/^\d+:\d+: /, '').slice(0, 120)));
  parser.on('opentag', (tag) => {
    if (open.length >= MAX_DEPTH) refuse(`elements are nested deeper than ${MAX_DEPTH}`);
    if (++count > MAX_ELEMENTS) refuse(`more than ${MAX_ELEMENTS} elements`);
    const element: OpenElement = {
      name: tag.name,
      attributes: tag.attributes as Record<string, string>,
      children: [],
      text: '',
    };
    open.at(-1)?.children.push(element);
    root ??= element;
    open.push(element);
  });
  const addText = (text: string) => {
    const element = open.at(-1);
    if (element) element.text += text;
  };
  parser.on('text', addText);
  parser.on('cdata', addText);
  parser.on('closetag', () => {
    const element = open.pop();
    if (element) element.text = element.text.trim();
  });
  parser.write(xml).close();
  return root ?? refuse('no element at all');
}

export const child = (element: Element, name: string): Element | undefined =>
  element.children.find((candidate) => candidate.name === name);
export const children = (element: Element, name: string): readonly Element[] =>
  element.children.filter((candidate) => candidate.name === name);
/** Text of a child; absent and empty are the same. */
export const textOf = (element: Element, name: string): string | undefined => child(element, name)?.text || undefined;
