/** What an operator's scrape looks up; nothing of it costs the road anything in between. */
import type { EventLog } from '#libs/event-log';
import type { Feed } from '#libs/feed';
import { limits } from '#libs/limits';
import type { Queryable } from '#libs/postgres';
import type { Projector } from '#libs/projector';
import { type Looked, observe } from '#libs/signals';
import type { Config } from '../config.js';
import type { SocketDoor } from '../doors/sockets/socket-door.js';

interface Pool {
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
}

export interface Observed {
  readonly role: Config['ROLE'];
  readonly store: { readonly pool: Pool; readonly log: Pick<EventLog, 'partitions'> };
  readonly projecting: { readonly pool: Pool; readonly projector: Projector } | undefined;
  readonly feed: Feed;
  readonly sockets: SocketDoor;
  /** The gateway's. */
  readonly pool: Pool & Queryable;
  /** Reads rows of the live generation. */
  readonly readLive: <T>(read: (db: Queryable, schema: string) => Promise<T>) => Promise<T>;
}

/** @returns how to end it */
export function observeService({ role, store, projecting, feed, sockets, pool, readLive }: Observed): () => void {
  const { projector } = projecting ?? {};
  const pools = { store: store.pool, gateway: pool, ...(projecting ? { projector: projecting.pool } : {}) };
  const partitions = () => projector?.status() ?? [];
  const per = (kinds: Readonly<Record<string, number>>, label: string): Looked =>
    Object.entries(kinds).map(([kind, count]) => [count, { [label]: kind }]);
  return observe({
    ...(projector
      ? {
          // All of them, 0 where another folds: what is looked at no longer would stand at its last value.
          lag: () => partitions().map(({ partition, next, high }) => [Math.max(Number(high - next), 0), { partition }]),
          progress: () => partitions().map(({ partition, folded }) => [folded, { partition }]),
          owned: () => [[partitions().filter(({ owned }) => owned).length]],
          stopped: () => [[partitions().filter(({ stopped }) => stopped).length + projector.reading().alarms.length]],
          silent: () => [[projector.reading().silentMs / 1_000]],
        }
      : {}),
    // A projector loads no conference: the age of what it serves would always be 0.
    ...(role !== 'projector' ? { lagSeconds: () => [[feed.oldest() / 1_000]] as const } : {}),
    partitions: () => [[store.log.partitions]],
    connections: () => per(sockets.stats().sockets, 'class'),
    frames: () => [[sockets.stats().frames]],
    skipped: () => [[sockets.stats().skipped]],
    closedSlow: () => [[sockets.stats().closedSlow]],
    resumes: () => per(sockets.stats().resumes, 'kind'),
    refused: () => per(sockets.stats().refused, 'code'),
    limits: () => limits().map(({ name, unit, value }) => [value, { limit: name, unit }] as const),
    polls: () => [[feed.stats().polls]],
    restores: () => [[feed.stats().restores]],
    wrongReplicas: () => [[feed.stats().wrong]],
    reloads: () => [[feed.stats().reloads]],
    deadLetters: async () => [[await count(pool, 'select count(*) from public.dead_letter')]],
    parked: async () => [
      [
        await readLive((live, schema) =>
          count(live, `select count(distinct (conference, stream)) from ${schema}.parked_event`),
        ),
      ],
    ],
    pool: () =>
      Object.entries(pools).flatMap(([pool, { totalCount, idleCount, waitingCount }]) => [
        [totalCount - idleCount, { pool, state: 'used' }] as const,
        [idleCount, { pool, state: 'idle' }] as const,
        // Whoever has asked in this very turn gets an idle one in the next.
        [Math.max(0, waitingCount - idleCount), { pool, state: 'waiting' }] as const,
      ]),
  });
}

async function count(db: Queryable, statement: string): Promise<number> {
  const { rows } = await db.query<{ count: string }>(statement);
  return Number(rows[0]?.count);
}
