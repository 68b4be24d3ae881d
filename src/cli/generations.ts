/** `hallway generations`: which read models there are, and going back to an earlier version of them. */
import { userInfo } from 'node:os';
import {
  askForGeneration,
  dropGeneration,
  type GenerationInfo,
  generationBefore,
  listGenerations,
} from '#libs/projector';
import { projectionVersion } from '../conference/projection-version.js';
import type { Config } from '../config.js';
import { createLogger } from '../logger.js';
import { type Database, openDatabase } from '../store.js';
import { CliError } from './cli-error.js';

/** @throws CliError */
export async function generations(config: Config, act: string, id: string | undefined): Promise<void> {
  const database = await openDatabase(config, createLogger({ ...config, LOG_LEVEL: 'error' }));
  try {
    await run(database, act, id).catch((error: unknown) => {
      if (error instanceof Error && error.name === 'GenerationRefused') throw new CliError(error.message);
      throw error;
    });
  } finally {
    await database.close();
  }
}

async function run({ pool }: Database, act: string, id: string | undefined): Promise<void> {
  const by = `${userInfo().username} at the command line`;
  if (act === 'list') return print(await listGenerations(pool));
  if (act === 'rollback' || act === 'switch') {
    const wanted = await askForGeneration(pool, act === 'rollback' ? await generationBefore(pool) : numberOf(id), by);
    const { version = '' } = (await listGenerations(pool)).find((one) => one.id === wanted) ?? {};
    console.log(
      `generation ${wanted} is switched to once projectors of its version (${version}) have folded the whole log; start them now, \`hallway generations list\` shows how far they are`,
    );
    return;
  }
  if (act !== 'drop') throw new CliError(`200 ${act}: list, switch, rollback or drop is wanted`);
  const dropped = numberOf(id);
  const found = (await listGenerations(pool)).find((one) => one.id === dropped);
  if (!found) throw new CliError(`209 there is no generation ${dropped}`);
  if (found.state === 'live') throw new CliError(`208 generation ${dropped} is live`);
  await dropGeneration(pool, dropped, by);
  console.log(`generation ${dropped} is dropped: its tables are gone, and its version does not take over by itself`);
}

function numberOf(id: string | undefined): number {
  if (id === undefined || !/^[1-9]\d{0,8}$/.test(id))
    throw new CliError('200 which generation? `hallway generations list` shows their numbers');
  return Number(id);
}

function print(all: readonly GenerationInfo[]): void {
  const own = projectionVersion();
  const rows = all.map(({ id, state, version, folded, createdAt, switchedAt, retiredAt }) => [
    String(id),
    state,
    version === own ? `${version} (this program)` : version,
    folded === null ? '-' : String(folded),
    when(createdAt),
    when(switchedAt),
    when(retiredAt),
  ]);
  const table = [['id', 'state', 'version', 'folded', 'made', 'switched', 'retired'], ...rows];
  const widths = table[0]?.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0))) ?? [];
  for (const row of table)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
}

const when = (at: Date | null): string => at?.toISOString().slice(0, 19) ?? '-';
