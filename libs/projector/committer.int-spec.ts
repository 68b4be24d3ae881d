import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { silent as logger } from '../../test/support/silent.js';
import { catalog, killable, set, station } from '../../test/support/station.js';
import { createTestDatabase, type TestDatabase } from '../../test/support/test-database.js';
import { BatchSize } from './batch-size.js';
import { claim } from './checkpoint.js';
import type { Batch } from './commands-of.js';
import { Committer } from './committer.js';
import { createProjector } from './projector.js';
import { whenProjected } from './when-projected.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const skipped = () => new Set<string>();

describe('batches folded while others are written', () => {
  it.each([
    ['all rows remembered', undefined],
    ['hardly a row remembered', 3],
  ])('I2, I3: whatever the batches, the tables are those of each event folded alone: %s', async (_, maxKnown) => {
    const { log, journal, generation, pool, count, oracle, stored } = await station(database);
    for (let turn = 0; turn < 120; turn++) await count(['a', `k${turn % 7}`]);
    const { records } = await log.read(0, 0n, 1_000);
    const claimed = await claim(pool, 0, randomUUID());
    if (!claimed) throw new Error('the claim was declined');
    const reader = journal.reader();
    const parts = { pool, set, catalog, generation, logger, claimed, reader, ...(maxKnown ? { maxKnown } : {}) };
    let commits = 0;
    const onCommit = () => {
      commits += 1;
    };
    const committer = new Committer({ ...parts, skipped: skipped(), size: new BatchSize(), onCommit });
    function* batches(): Iterable<Batch> {
      for (let from = 0, size = 2; from < records.length; from += size, size = 2 + ((size * 3) % 22)) {
        const some = records.slice(from, from + size);
        yield { records: some, next: (some.at(-1)?.offset ?? 0n) + 1n };
      }
    }
    await committer.run(batches());
    expect(commits).toBeGreaterThan(10);
    expect(await stored()).toEqual(await oracle());
    await pool.end();
  });

  it('a document of a batch tells since when the first of its changes has waited', async () => {
    const { log, journal, generation, pool, count } = await station(database);
    for (let turn = 0; turn < 3; turn++) await count(['a']);
    const at = Date.now() - 60_000;
    const records = (await log.read(0, 0n, 10)).records.map((record, index) => ({ ...record, timestamp: at + index }));
    const claimed = await claim(pool, 0, randomUUID());
    if (!claimed) throw new Error('the claim was declined');
    const parts = { pool, set, catalog, generation, logger, claimed, reader: journal.reader() };
    const committer = new Committer({ ...parts, skipped: skipped(), size: new BatchSize(), onCommit: () => undefined });
    await committer.run([{ records, next: 3n }]);
    const { rows } = await pool.query<{ version: string; appended: Date }>(
      'select version, appended_at as appended from feed_document',
    );
    expect(rows.map(({ version, appended }) => [Number(version), appended.getTime()])).toEqual([[2, at]]);
    await pool.end();
  });

  it('I4: one that the database refuses is parked alone; what was folded on top of its batch is folded anew', async () => {
    const { log, journal, generation, pool, count } = await station(database);
    for (let turn = 0; turn < 10; turn++) await count(['a', 'b']);
    await count(['a', 'too-large'], 3_000_000_000);
    for (let turn = 0; turn < 10; turn++) await count(['b', 'c']);
    const { records } = await log.read(0, 0n, 1_000);
    const claimed = await claim(pool, 0, randomUUID());
    if (!claimed) throw new Error('the claim was declined');
    const parts = { pool, set, catalog, generation, logger, claimed, reader: journal.reader() };
    const committer = new Committer({ ...parts, skipped: skipped(), size: new BatchSize(), onCommit: () => undefined });
    const batches = [0, 6, 12, 18, 24, 30, 36].map((from) => records.slice(from, from + 6));
    await committer.run(batches.map((some) => ({ records: some, next: (some.at(-1)?.offset ?? 0n) + 1n })));
    const { rows } = await pool.query<{ id: string; total: number }>('select id, total from counter order by id');
    expect(rows).toEqual([
      { id: 'a', total: 10 },
      { id: 'b', total: 20 },
      { id: 'c', total: 10 },
    ]);
    const parked = await pool.query('select stream from parked_event order by "offset"');
    expect(parked.rows.length).toBeGreaterThan(0);
    expect(claimed.next).toBe(42n);
    await pool.end();
  });

  it('I4: what is no event is a dead letter, with whatever bytes, and one of another log at its place is another one', async () => {
    for (const _ of ['this log', 'another log']) {
      const { journal, generation, pool } = await station(database);
      const claimed = await claim(pool, 0, randomUUID());
      if (!claimed) throw new Error('the claim was declined');
      const parts = { pool, set, catalog, generation, logger, claimed, reader: journal.reader() };
      const committer = new Committer({
        ...parts,
        skipped: skipped(),
        size: new BatchSize(),
        onCommit: () => undefined,
      });
      const headers = new Map([['na\u0000me', Buffer.from('a\u0000b')]]);
      const record = { offset: 0n, key: 'a\u0000b', headers, value: Buffer.from('\u0000'), timestamp: 0 };
      await committer.run([{ records: [record], next: 1n }]);
      expect(claimed.next).toBe(1n);
      await pool.end();
    }
    const { rows } = await database.pool.query('select key, header_names, header_values, value from dead_letter');
    const bytes = Buffer.from('a\u0000b');
    const letter = {
      key: bytes,
      header_names: [Buffer.from('na\u0000me')],
      header_values: [bytes],
      value: Buffer.from([0]),
    };
    expect(rows).toEqual([letter, letter]);
  });

  it('I2: its connection killed in the middle of a backlog, it applies each event once', async () => {
    const { log, journal, generation, pool, count, oracle, stored } = await station(database);
    const faults = killable(database, pool);
    const options = { pool: faults.pool, log, journal, set, catalog, generation, owner: 'one', logger };
    for (let turn = 0; turn < 300; turn++) await count([`k${turn % 11}`]);
    faults.arm(4);
    const projector = createProjector(options);
    projector.start();
    for (let k = 1; k <= 8; k++) {
      let last = 0n;
      for (let turn = 0; turn < 150; turn++) last = (await count([`k${turn % 11}`, 'all'])).position.offset + 1n;
      expect(
        await whenProjected(database.pool, generation.schema, { partition: 0, offset: last }, { timeoutMs: 20_000 }),
      ).toBe(true);
      expect(faults.fired()).toBe(true);
      faults.arm(k);
    }
    expect(await stored()).toEqual(await oracle());
    await projector.stop();
    await pool.end();
  }, 60_000);
});
