/** `hallway import FILE`: sends the file to the service, shows its progress and its report. */

import { readFileSync } from 'node:fs';
import { defineLimit } from '#libs/limits';
import type { Config } from '../config.js';
import { slugFrom } from '../schedule/parsed-schedule.js';
import { readAcronym } from '../schedule/read-schedule.js';
import { ScheduleUnreadable } from '../schedule/reading.js';
import { CliError } from './cli-error.js';
import { Service } from './service.js';

const MAX_ODD_SHOWN = defineLimit({
  name: 'cli.import.warnings',
  value: 20,
  unit: 'entries',
  beyond: 'the rest is counted only',
});

interface Line {
  readonly phase?: string;
  readonly done?: number;
  readonly total?: number;
  readonly refusal?: { readonly code: number; readonly message: string };
  readonly report?: {
    readonly counts: Readonly<Record<string, number>>;
    readonly odd: readonly { readonly at: string; readonly what: string }[];
  };
}

export async function importFile(config: Config, file: string, conference: string | undefined): Promise<void> {
  const content = read(file);
  const id = conference ?? slugOf(content);
  const tty = process.stderr.isTTY;
  await new Service(config).postFile(
    `/v1/conferences/${encodeURIComponent(id)}/imports`,
    content,
    'application/octet-stream',
    (line: Line) => {
      if (line.refusal) throw new CliError(`${line.refusal.code} ${line.refusal.message}`);
      if (line.phase && tty) process.stderr.write(`\r${line.phase} ${line.done}/${line.total}   `);
      if (line.report) {
        if (tty) process.stderr.write('\r');
        printReport(id, config, line.report);
      }
    },
  );
}

function read(file: string): Buffer {
  try {
    return readFileSync(file === '-' ? 0 : file);
  } catch (error) {
    throw new CliError(`200 ${file} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

function slugOf(content: Buffer): string {
  try {
    const acronym = readAcronym(content);
    if (acronym) return slugFrom(acronym);
  } catch (error) {
    if (error instanceof ScheduleUnreadable) throw new CliError(`200 ${error.message}`);
    throw error;
  }
  throw new CliError('201 the file has no acronym: name the conference with --conference');
}

function printReport(id: string, config: Config, { counts, odd }: NonNullable<Line['report']>): void {
  console.log(
    `${id}: ${Object.entries(counts)
      .map(([what, count]) => `${count} ${what}`)
      .join(', ')}`,
  );
  for (const { at, what } of odd.slice(0, MAX_ODD_SHOWN)) console.log(`  odd: ${at}: ${what}`);
  if (odd.length > MAX_ODD_SHOWN) console.log(`  … and ${odd.length - MAX_ODD_SHOWN} more oddities`);
  console.log(`screens: ${config.publicUrl}/`);
}
