import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

const pages = ['README.md', ...readdirSync('docs', { recursive: true }).map((name) => `docs/${String(name)}`)].filter(
  (name) => name.endsWith('.md') && !name.startsWith('docs/adr/') && name !== 'docs/add-a-capability.md',
);

/** `npx hallway …` as it stands on a page, in a line of code or between backticks. */
const commandsIn = (text: string): readonly string[] =>
  [...text.matchAll(/npx hallway ([a-z][^`#\n]*)/g)].map(([, command = '']) => command.trim());

/** Its subcommands: the words before what is given to them. */
const pathOf = (command: string): string => {
  const [first = '', second = ''] = command.split(/\s+/);
  return ['send', 'log'].includes(first) && /^[a-z]/.test(second) ? `${first} ${second}` : first;
};

describe('what the pages tell an operator to type', () => {
  it('every `hallway` command in README and docs exists, with each option that is named', () => {
    const named = new Map<string, Set<string>>();
    for (const page of pages)
      for (const command of commandsIn(readFileSync(page, 'utf8'))) {
        const options = named.get(pathOf(command)) ?? new Set();
        for (const [option] of command.matchAll(/--[a-z][a-z-]*/g)) options.add(option);
        named.set(pathOf(command), options);
      }
    expect([...named.keys()]).toEqual(expect.arrayContaining(['skip', 'erase', 'send skip-event', 'dead-letters']));
    for (const [path, options] of named) {
      const help = spawnSync(process.execPath, ['dist/src/cli/main.js', ...path.split(' '), '--help'], {
        encoding: 'utf8',
      });
      expect([path, help.status, help.stdout]).toEqual([path, 0, expect.stringContaining(`hallway ${path}`)]);
      for (const option of options)
        expect([path, option, `${help.stdout} --help`]).toEqual([path, option, expect.stringContaining(option)]);
    }
  }, 120_000);
});
