/**
 * Text as people type and paste it → text as it is kept. What cannot be seen neither disguises a text nor makes it be refused: tabs come
 * from tables, isolates from keyboards for Hebrew and Arabic. Pure and idempotent; the service and the pages use the same.
 */
import { defineLimit } from '#libs/limits';

/** Directions opened in one another within a line. */
const MAX_OPEN_DIRECTIONS = defineLimit({
  name: 'text.directions.open',
  value: 16,
  unit: 'levels',
  beyond: 'further marks of direction are left out',
});

/** C0 and C1 controls, DEL: nothing that one means to write. Tab, line breaks and their like are dealt with before. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: removing them is the point
const CONTROLS = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g;
const LINE_BREAKS = /\r\n|[\r\v\f\u0085\u2028\u2029]/g;
const LINE_ENDS = /[\t\n\r\v\f\u0085\u2028\u2029]/;
const DIRECTIONS = /[\u202a-\u202e\u2066-\u2069]/;
/** Letters, digits, signs: what leaves a mark. Not: controls, formats, spaces, marks on nothing, fillers, the empty Braille pattern. */
const VISIBLE = /[^\p{Cc}\p{Cf}\p{Cs}\p{Z}\p{M}\p{Default_Ignorable_Code_Point}\u2800]/u;

/** Keeps line breaks, as `\n`. */
export function cleanText(value: string): string {
  const plain = value.replace(LINE_BREAKS, '\n').replaceAll('\t', ' ').replace(CONTROLS, '');
  const lines = DIRECTIONS.test(plain) ? plain.split('\n').map(balanceDirections).join('\n') : plain;
  // What has nothing else in it stays as it is, to be refused in words.
  return lines.trim() || value.trim();
}

/** Where one line is meant: line breaks and tabs become one space. */
export function cleanLine(value: string): string {
  if (!LINE_ENDS.test(value)) return cleanText(value);
  const parts = value.split(LINE_ENDS).map((part) => part.trim());
  return cleanText(parts.filter((part) => part !== '').join(' ') || value);
}

/** Whether there is something to see. */
export const isVisible = (value: string): boolean => VISIBLE.test(value);

const PDF = '\u202c';
const PDI = '\u2069';
const OVERRIDES = '\u202d\u202e';
const ISOLATES = '\u2066\u2067\u2068';

/**
 * Within one line: isolates and embeddings that are opened are closed, what closes nothing goes, and overrides go: they show a text as
 * another one. Otherwise the direction of one text would turn what stands beside it.
 */
function balanceDirections(line: string): string {
  /** What closes each open one; empty: the open one was left out, and so is its end. */
  const open: string[] = [];
  let balanced = '';
  for (const character of line) {
    if (!DIRECTIONS.test(character)) balanced += character;
    else if (character === PDF) {
      if (open.at(-1) !== PDI) balanced += open.pop() ?? '';
    } else if (character === PDI) {
      const isolate = open.lastIndexOf(PDI);
      if (isolate !== -1) balanced += open.splice(isolate).reverse().join('');
    } else if (OVERRIDES.includes(character) || open.length >= MAX_OPEN_DIRECTIONS) open.push('');
    else {
      open.push(ISOLATES.includes(character) ? PDI : PDF);
      balanced += character;
    }
  }
  return balanced + open.reverse().join('');
}
