/** What an operator's scrape looks up; nothing of it costs the road anything in between. */
import type { Feed } from '#libs/feed';
import type { Queryable } from '#libs/postgres';
import type { Projector } from '#libs/projector';
import { type Looked, observe } from '#libs/signals';
import type { SocketDoor } from '../doors/sockets/socket-door.js';

interface Pool {
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
}

export interface Observed {
  readonly feed: Feed;
  readonly sockets: SocketDoor;
  readonly projector: Projector | undefined;
  readonly pools: Readonly<Record<string, Pool>>;
  readonly db: Queryable;
  /** Reads rows of the live generation. */
  readonly readLive: <T>(read: (db: Queryable, schema: string) => Promise<T>) => Promise<T>;
}

/** @returns how to end it */
export function observeService({ feed, sockets, projector, pools, db, readLive }: Observed): () => void {
  const partitions = () => projector?.status() ?? [];
  const owned = () => partitions().filter((one) => one.owned);
  const per = (kinds: Readonly<Record<string, number>>, label: string): Looked =>
    Object.entries(kinds).map(([kind, count]) => [count, { [label]: kind }]);
  return observe({
    ...(projector
      ? {
          lag: () =>
            owned().map(({ partition, next, high }) => [Math.max(Number(high - next), 0), { partition }] as const),
          progress: () => owned().map(({ partition, next }) => [Number(next), { partition }] as const),
          owned: () => [[owned().length]],
          stopped: () => [[partitions().filter(({ stopped }) => stopped).length + projector.reading().alarms.length]],
          silent: () => [[projector.reading().silentMs / 1_000]],
        }
      : {}),
    lagSeconds: () => [[feed.oldest() / 1_000]],
    connections: () => per(sockets.stats().sockets, 'class'),
    frames: () => [[sockets.stats().frames]],
    skipped: () => [[sockets.stats().skipped]],
    closedSlow: () => [[sockets.stats().closedSlow]],
    resumes: () => per(sockets.stats().resumes, 'kind'),
    refused: () => per(sockets.stats().refused, 'code'),
    polls: () => [[feed.stats().polls]],
    reloads: () => [[feed.stats().reloads]],
    deadLetters: async () => [[await count(db, 'select count(*) from public.dead_letter')]],
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
        [waitingCount, { pool, state: 'waiting' }] as const,
      ]),
  });
}

async function count(db: Queryable, statement: string): Promise<number> {
  const { rows } = await db.query<{ count: string }>(statement);
  return Number(rows[0]?.count);
}
