import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { silent as logger } from '../../test/support/silent.js';
import { catalog, killable, set, station } from '../../test/support/station.js';
import { createTestDatabase, type TestDatabase } from '../../test/support/test-database.js';
import { claim, Fenced, fingerprintOf } from './checkpoint.js';
import { createProjector } from './projector.js';
import { createPostgresRowSource } from './row-source.js';
import { whenProjected } from './when-projected.js';
import { writeBatch } from './write-batch.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

describe('a projector that dies', () => {
  it('I2: killed after every statement of the batch transaction in turn, it applies each event once', async () => {
    const { log, journal, generation, pool, count, oracle, stored } = await station(database);
    const faults = killable(database, pool);
    const options = { pool: faults.pool, log, journal, set, catalog, generation, owner: 'one', logger };
    const projector = createProjector(options);
    projector.start();
    const folded = async (ids: readonly string[]) => {
      const { position } = await count(ids);
      const last = { ...position, offset: position.offset + BigInt(ids.length) - 1n };
      expect(await whenProjected(database.pool, generation.schema, last, { timeoutMs: 10_000 })).toBe(true);
    };
    await folded(['a', 'b']);
    const statements = faults.longest();
    expect(statements).toBeGreaterThan(5);
    for (let k = 1; k <= statements; k++) {
      faults.arm(k);
      await folded(['a', 'b', `only-${k}`]);
      expect(faults.fired()).toBe(true);
      expect(await stored()).toEqual(await oracle());
    }
    await projector.stop();
    await pool.end();
  });

  it('I1: a zombie that writes after another has claimed is fenced and changes nothing', async () => {
    const { log, generation, pool, count, planOf, oracle, stored } = await station(database);
    await count(['a', 'b']);
    const { records } = await log.read(0, 0n, 10);
    const source = createPostgresRowSource(pool);
    const zombie = await claim(pool, 0, 'zombie');
    expect(await claim(pool, 0, 'heir')).toBeNull();
    const late = await planOf(records, 0n, source);
    await pool.query(`update projection_checkpoint set lease_until = '-infinity'`);
    const heir = await claim(pool, 0, 'heir');
    if (!zombie || !heir) throw new Error('a claim was declined');
    const last = records.at(-1);
    const fingerprint = last ? fingerprintOf(last) : null;
    await expect(
      writeBatch({ pool, generation, claimed: zombie, plan: late, fingerprint, startedAt: Date.now() }),
    ).rejects.toThrow(Fenced);
    expect((await stored()).counters).toEqual([]);
    await writeBatch({
      pool,
      generation,
      claimed: heir,
      plan: await planOf(records, 0n, source),
      fingerprint,
      startedAt: Date.now(),
    });
    await expect(
      writeBatch({ pool, generation, claimed: zombie, plan: late, fingerprint, startedAt: Date.now() }),
    ).rejects.toThrow(Fenced);
    expect(await stored()).toEqual(await oracle());
    await pool.end();
  });

  it('I1: a zombie that commits just before the claim is not repeated: its heir begins after it', async () => {
    const { log, generation, pool, count, planOf } = await station(database);
    await count(['a']);
    const { records } = await log.read(0, 0n, 10);
    const zombie = await claim(pool, 0, 'zombie');
    if (!zombie) throw new Error('the claim was declined');
    const plan = await planOf(records, 0n, createPostgresRowSource(pool));
    await writeBatch({ pool, generation, claimed: zombie, plan, fingerprint: null, startedAt: Date.now() });
    await pool.query(`update projection_checkpoint set lease_until = '-infinity'`);
    expect((await claim(pool, 0, 'heir'))?.next).toBe(1n);
    await pool.end();
  });

  it('I1: nothing is written to a generation that was retired', async () => {
    const { log, generation, pool, count, planOf, stored } = await station(database);
    await count(['a']);
    const { records } = await log.read(0, 0n, 10);
    const claimed = await claim(pool, 0, 'one');
    if (!claimed) throw new Error('the claim was declined');
    await pool.query(`update public.generation set state = 'retired' where id = $1`, [generation.id]);
    const plan = await planOf(records, 0n, createPostgresRowSource(pool));
    await expect(
      writeBatch({ pool, generation, claimed, plan, fingerprint: null, startedAt: Date.now() }),
    ).rejects.toThrow(Fenced);
    expect((await stored()).counters).toEqual([]);
    await pool.end();
  });
});
