/** However its log is delivered, a conference reads the same: in other batches (I3), and with every command in it twice (I13). */
import { expect } from '@jest/globals';
import { createJournal, createMemoryLog, type LogRecord } from '#libs/event-log';
import { createMemoryStore, type MemoryStore } from '#libs/projector';
import { catalog } from '../../src/conference/catalog.js';
import { projectionSet } from '../../src/conference/projection-set.js';
import { CONFERENCE, contentOf, foldLog, refold, type World } from './world.js';

const SPLITS = [[1], [2, 5, 3], [7], [1_000]] as const;

export async function holdsInAnyDelivery(world: World): Promise<void> {
  const whole = contentOf(await refold(world, [100_000]));
  for (const sizes of SPLITS) expect(contentOf(await refold(world, sizes))).toEqual(whole);
  expect(shown(await twice(world))).toEqual(shown(world.store));
}

/** The log with each command repeated at once, and all of them again at the end. */
async function twice(world: World): Promise<MemoryStore> {
  const log = createMemoryLog({ partitions: 1 });
  const { records } = await world.log.read(0, 0n, 100_000);
  const commands = commandsOf(records);
  for (const command of [...commands.flatMap((one) => [one, one]), ...commands]) await log.append(CONFERENCE, command);
  const store = createMemoryStore();
  const journal = createJournal({ log, catalog, keys: world.keys });
  await foldLog({ log, journal, store, set: projectionSet('test'), sizes: [3, 1, 4] });
  return store;
}

/** A record whose index is 0 begins a command. */
function commandsOf(records: readonly LogRecord[]): LogRecord[][] {
  const commands: LogRecord[][] = [];
  for (const record of records) {
    const begins = Number(record.headers.get('ce_index')?.toString() ?? 0) === 0;
    if (begins || commands.length === 0) commands.push([record]);
    else commands.at(-1)?.push(record);
  }
  return commands;
}

/** Bodies of the living documents. Outcomes tell of commands, and where those first stood differs between the two. */
const shown = (store: MemoryStore): object =>
  Object.fromEntries(
    [...store.documents]
      .filter(([name, { body }]) => body !== null && !name.includes(' outcomes/'))
      .map(([name, { body }]) => [name, body] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
