/** The list of conferences, from one statement a second at most: to be listed, no conference is loaded. */

import { performance } from 'node:perf_hooks';
import { defineLimit } from '#libs/limits';
import type { Queryable } from '#libs/postgres';

/** Conferences in one answer. */
export const MAX_LISTED = defineLimit({
  name: 'http.conferences.listed',
  value: 200,
  unit: 'items',
  beyond: 'only the first by id are listed',
});
/** Age of the list, milliseconds. */
export const LIST_FRESH_MS = defineLimit({
  name: 'http.conferences.age',
  value: 1_000,
  unit: 'ms',
  beyond: 'the list is read again',
});

export interface ListedConference {
  readonly id: string;
  readonly title: string;
}

export type ListConferences = () => Promise<readonly ListedConference[]>;

type ReadLive = <T>(read: (db: Queryable, schema: string) => Promise<T>) => Promise<T>;

/** One statement for all who ask at once. @throws as `readLive` */
export function createConferenceList(readLive: ReadLive, clock: { now(): number } = performance): ListConferences {
  let list: { readonly at: number; readonly conferences: readonly ListedConference[] } | undefined;
  let reading: Promise<readonly ListedConference[]> | undefined;
  const read = async () => {
    const at = clock.now();
    const conferences = await readLive(readTitles);
    list = { at, conferences };
    return conferences;
  };
  return async () => {
    if (list && clock.now() - list.at < LIST_FRESH_MS) return list.conferences;
    reading ??= read().finally(() => {
      reading = undefined;
    });
    return reading;
  };
}

/** By primary key, one document per conference: most documents of a conference are not touched. */
async function readTitles(db: Queryable, schema: string): Promise<readonly ListedConference[]> {
  const { rows } = await db.query<ListedConference>(
    `select h.conference as id, d.body ->> 'title' as title
     from ${schema}.feed_head h
     join ${schema}.feed_document d
       on d.conference = h.conference and d.channel = 'schedule' and d.key = 'conference/self'
     where d.body is not null
     order by h.conference limit $1`,
    [MAX_LISTED],
  );
  return rows;
}
