import type pg from 'pg';
import { newKey, SubjectErased, type SubjectKeys } from './keys.js';

/** Keys in the permanent table `subject_key`. Never cached for sealing: an erased subject is refused from the next command on. */
export function createPostgresKeys(pool: pg.Pool): SubjectKeys {
  return {
    async keyFor(conference, subject) {
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
      return { id: row.key_id, key: row.key };
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
