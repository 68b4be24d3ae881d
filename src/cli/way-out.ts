/** `hallway skip` and `hallway erase`: they open database and log themselves, for a service that cannot do it. */
import { userInfo } from 'node:os';
import { actorId } from '../conference/access/events.js';
import { slug } from '../conference/kernel.js';
import type { Config } from '../config.js';
import { createLogger } from '../logger.js';
import { type By, dropEvent, eraseAtOnce, type WayOut, WayOutRefused } from '../ops/way-out.js';
import { openStore } from '../store.js';
import { CliError } from './cli-error.js';

interface Options {
  readonly by?: string;
  readonly because?: string;
}

/** @throws CliError */
export async function skipEvent(config: Config, partition: string, offset: string, options: Options): Promise<void> {
  if (!/^\d{1,6}$/.test(partition) || !/^\d{1,16}$/.test(offset))
    throw new CliError('200 name the event by the numbers of its partition and offset, as the log line does');
  const by = byOf(options);
  await withWayOut(config, async (out) => {
    const conference = await dropEvent(out, { partition: Number(partition), offset: BigInt(offset) }, by);
    console.log(
      `the event at ${partition}/${offset} (conference ${conference}) is dropped; its partition tries again within 2 s`,
    );
  });
}

/** @throws CliError */
export async function erasePerson(
  config: Config,
  conference: string,
  subject: string,
  options: Options,
): Promise<void> {
  if (!slug.safeParse(conference).success) throw new CliError('200 this is not the id of a conference');
  if (!actorId.safeParse(subject).success) throw new CliError('200 this is not the id of a person');
  const by = byOf(options);
  await withWayOut(config, async (out) => {
    await eraseAtOnce(out, conference, subject, by);
    console.log(
      `the key of ${subject} in ${conference} is destroyed; what is shown follows when the erasure is folded`,
    );
  });
}

function byOf({ by = userInfo().username || 'operator', because: reason }: Options): By {
  if (!actorId.safeParse(by).success) throw new CliError('200 --by takes up to 100 visible characters, without spaces');
  if (reason !== undefined && (reason.length > 500 || !reason.isWellFormed()))
    throw new CliError('200 --because takes up to 500 characters');
  return { actor: by, ...(reason ? { reason } : {}) };
}

async function withWayOut(config: Config, work: (out: WayOut) => Promise<void>): Promise<void> {
  const store = await openStore(config, createLogger({ ...config, LOG_LEVEL: 'error' }));
  try {
    await work(store);
  } catch (error) {
    throw error instanceof WayOutRefused ? new CliError(error.message) : error;
  } finally {
    await store.close();
  }
}
