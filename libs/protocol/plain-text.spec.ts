import { describe, expect, it } from '@jest/globals';
import { cleanLine, cleanText, isVisible } from './plain-text.js';

const LRI = '\u2066';
const RLI = '\u2067';
const FSI = '\u2068';
const PDI = '\u2069';
const LRE = '\u202a';
const RLE = '\u202b';
const PDF = '\u202c';
const RLO = '\u202e';

describe('text as people type it', () => {
  it('case V12: tabs and line breaks become spaces where one line is meant, and stay line breaks elsewhere', () => {
    expect(cleanLine(' a\tb\r\nc\n\n d\u2028e\u0085f ')).toBe('a b c d e f');
    expect(cleanText('a\tb\r\nc\n\nd\u2028e\u000bf')).toBe('a b\nc\n\nd\ne\nf');
    expect(cleanLine('two  spaces stay')).toBe('two  spaces stay');
  });

  it('case V12: isolates and embeddings are balanced per line, at any depth', () => {
    expect(cleanText(`${RLI}שלום${PDI} world`)).toBe(`${RLI}שלום${PDI} world`);
    expect(cleanText(`${RLI}שלום world`)).toBe(`${RLI}שלום world${PDI}`);
    expect(cleanText(`${LRI}a\nb${PDI}`)).toBe(`${LRI}a${PDI}\nb`);
    expect(cleanText(`a${PDI}${PDF}b`)).toBe('ab');
    expect(cleanText(`${FSI}${RLE}a${PDI}b${PDF}`)).toBe(`${FSI}${RLE}a${PDF}${PDI}b`);
    expect(cleanText(`${LRE}${RLI}a${PDF}b${PDI}c`)).toBe(`${LRE}${RLI}ab${PDI}c${PDF}`);
    const deep = cleanText(`${RLI.repeat(500)}x`);
    expect(deep.split(RLI).length).toBe(deep.split(PDI).length);
    expect(deep.length).toBeLessThan(40);
  });

  it('overrides, which show a text as another one, and controls are left out', () => {
    expect(cleanText(`pay ${RLO}001${PDF} now`)).toBe('pay 001 now');
    expect(cleanText('\u001b[31mred\u0000\u007f\u009b')).toBe('[31mred');
  });

  it('takes time in proportion to the length: 200,000 characters of any kind in less than half a second', () => {
    const started = performance.now();
    for (const unit of [' ', '\t', ' \n', RLI, PDI, RLO, '\u200b', 'a\r']) {
      const value = unit.repeat(200_000 / unit.length);
      for (const act of [cleanLine, cleanText, isVisible]) act(value);
    }
    expect(performance.now() - started).toBeLessThan(500 * 8);
  });

  it('cleaned twice is cleaned once', () => {
    for (const value of [` a\tb\r\nc ${RLI}x${PDF}${PDI}${PDI}${RLO}y`, '👩‍🚒🏳️‍🌈', 'كيف\u200cها', `${LRI}\n${PDI}`])
      for (const clean of [cleanLine, cleanText]) expect(clean(clean(value))).toBe(clean(value));
  });

  it('emoji sequences, joiners and marks on letters stay as they are', () => {
    for (const value of ['👩‍🚒🏳️‍🌈🇺🇳', 'می‌خواهم', 'e\u0301', '1️⃣']) expect(cleanLine(value)).toBe(value);
  });

  it('case V12: what has nothing to see is not visible; any script, sign or emoji is', () => {
    for (const value of [
      '',
      ' ',
      '\u200b\ufeff',
      '\u3164',
      '\u2800',
      `${RLI}${PDI}`,
      '\u00ad',
      '\u{e0041}',
      '\ufe0f',
      '\u0301',
    ])
      expect([value, isVisible(value)]).toEqual([value, false]);
    for (const value of ['?', 'é', '¿', '👍', 'か', 'ש', '5', '…', '🇺🇳', '⠁', '\u200ba'])
      expect([value, isVisible(value)]).toEqual([value, true]);
  });
});
