import { LRUCache } from 'lru-cache';
import type pg from 'pg';
import { newKey, SubjectErased, type SubjectKey, type SubjectKeys } from './keys.js';

/** A gateway seals for thousands of people in bursts; an erased one is caught at the latest when its entry ends, and by the fold at once. */
const CACHE = { max: 10_000, ttl: 10_000 };

/** Keys in the permanent table `subject_key`. */
export function createPostgresKeys(pool: pg.Pool): SubjectKeys {
  const cache = new LRUCache<string, SubjectKey>(CACHE);
  return {
    async keyFor(conference, subject) {
      const name = JSON.stringify([conference, subject]);
      const cached = cache.get(name);
      if (cached) return cached;
      const fresh = newKey();
      // Committed before it is read back: whoever made the row first, all seal with the same key.
      await pool.query(
        'insert into subject_key (conference, subject, key_id, key) values ($1, $2, $3, $4) on conflict do nothing',
        [conference, subject, fresh.id, fresh.key],
      );
      const { rows } = await pool.query<{ key_id: string; key: Buffer | null }>(
        'select key_id, key from subject_key where conference = $1 and subject = $2',
        [conference, subject],
      );
      const row = rows[0];
      if (!row?.key) throw new SubjectErased('this subject has been erased');
      const found = { id: row.key_id, key: row.key };
      cache.set(name, found);
      return found;
    },
    async find(ids) {
      const { rows } = await pool.query<{ key_id: string; key: Buffer | null }>(
        'select key_id, key from subject_key where key_id = any($1::uuid[])',
        [ids],
      );
      return new Map(rows.map(({ key_id, key }) => [key_id, key]));
    },
  };
}
