import type pg from 'pg';
import { defineLimit } from '#libs/limits';
import { together } from '#libs/postgres';
import { newKey, SubjectErased, type SubjectKey, type SubjectKeys } from './keys.js';

interface Subject {
  readonly conference: string;
  readonly subject: string;
}

interface Row extends Subject {
  readonly key_id: string;
  readonly key: Buffer | null;
}

const MAX_AT_ONCE = defineLimit({
  name: 'log.keys.statement',
  value: 100,
  unit: 'items',
  beyond: 'the next statement takes the rest',
});

/** Sorted, so that two processes never wait for each other's rows crosswise. Alone in its statement: it is committed before it is read. */
const MAKE = {
  name: 'make-keys',
  text: `insert into subject_key (conference, subject, key_id, key)
    select g.conference, g.subject, g.key_id, g.key
    from unnest($1::text[], $2::text[], $3::uuid[], $4::bytea[]) as g(conference, subject, key_id, key)
    order by g.conference, g.subject on conflict do nothing`,
};

/** `limit 1` keeps the planner, which knows nothing of the arrays, from reading the whole table. */
const FIND = {
  name: 'find-keys',
  text: `select k.* from unnest($1::text[], $2::text[]) as g(conference, subject) cross join lateral (
      select conference, subject, key_id, key from subject_key s
      where s.conference = g.conference and s.subject = g.subject limit 1) k`,
};

/**
 * Keys in the permanent table `subject_key`. Never cached for sealing: an erased subject is refused from the next command on. Those who
 * ask at the same time share a commit: one each was what a busy conference waited for most (bench/latency.mjs).
 */
export function createPostgresKeys(pool: pg.Pool): SubjectKeys {
  const keysFor = together((subjects: readonly Subject[]) => findOrMake(pool, subjects), MAX_AT_ONCE);
  return {
    async keyFor(conference, subject) {
      const { key_id, key } = await keysFor({ conference, subject });
      if (!key) throw new SubjectErased('this subject has been erased');
      return { id: key_id, key };
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

async function findOrMake(pool: pg.Pool, subjects: readonly Subject[]): Promise<readonly Row[]> {
  const nameOf = ({ conference, subject }: Subject) => JSON.stringify([conference, subject]);
  const known = new Map<string, Row>();
  const find = async (wanted: readonly Subject[]) => {
    const values = [wanted.map(({ conference }) => conference), wanted.map(({ subject }) => subject)];
    const { rows } = await pool.query<Row>({ ...FIND, values });
    for (const row of rows) known.set(nameOf(row), row);
  };
  await find(subjects);
  const fresh = new Map<string, Subject & SubjectKey>();
  for (const one of subjects) if (!known.has(nameOf(one))) fresh.set(nameOf(one), { ...one, ...newKey() });
  if (fresh.size > 0) {
    const made = [...fresh.values()];
    const values = [
      made.map(({ conference }) => conference),
      made.map(({ subject }) => subject),
      made.map(({ id }) => id),
      made.map(({ key }) => key),
    ];
    await pool.query({ ...MAKE, values });
    // Whoever made the row first, all seal with the same key.
    await find(made);
  }
  return subjects.map((one) => known.get(nameOf(one)) as Row);
}
