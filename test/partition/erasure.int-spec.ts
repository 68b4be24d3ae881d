import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BatchSize } from '../../libs/projector/batch-size.js';
import { claim } from '../../libs/projector/checkpoint.js';
import { Committer } from '../../libs/projector/committer.js';
import { catalog } from '../../src/conference/catalog.js';
import { conferenceStation, opened, set } from '../support/conference-station.js';
import { silent as logger } from '../support/silent.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const erased = (subject: string) => ({ type: 'attendee-erased', subject, stream: null, data: { subject } });

describe('the erasure of a person', () => {
  it.each([
    ['one batch', 10],
    ['two batches', 4],
  ])(
    'case R1: two erasures of one person in %s: the second has no effect, and its partition goes on',
    async (_, size) => {
      const { journal, generation, pool, append, recordsFrom, cut } = await conferenceStation(database);
      const [one, other] = [`one-${size}`, `other-${size}`];
      await append(one, [opened(one)]);
      await append(one, [erased('ada')], 'olga');
      await append(one, [erased('ada')], 'otto');
      await append(one, [erased('ada')], 'olga');
      await append(other, [opened(other)]);
      const claimed = await claim(pool, 0, randomUUID());
      if (!claimed) throw new Error('the claim was declined');
      const parts = { pool, set, catalog, generation, logger, claimed, reader: journal.reader() };
      const committer = new Committer({
        ...parts,
        skipped: new Set(),
        size: new BatchSize(),
        onCommit: () => undefined,
      });
      await committer.run(cut(await recordsFrom(0n), size));
      expect(claimed.next).toBe(5n);
      const { rows } = await pool.query(
        `select "offset"::int, no_effect as "noEffect" from audit_entry where type = 'attendee-erased' order by "offset"`,
      );
      expect(rows).toEqual([
        { offset: 1, noEffect: null },
        { offset: 2, noEffect: 'already erased' },
        { offset: 3, noEffect: 'already erased' },
      ]);
      const keys = await database.pool.query('select key, erased_at from subject_key where conference = $1', [one]);
      expect(keys.rows).toEqual([{ key: null, erased_at: expect.any(Date) }]);
      await pool.end();
    },
  );
});
