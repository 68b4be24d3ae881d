import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '../../test/support/process.js';
import { silent as logger } from '../../test/support/silent.js';
import { catalog, set, station } from '../../test/support/station.js';
import { createTestDatabase, type TestDatabase } from '../../test/support/test-database.js';
import { claim } from './checkpoint.js';
import { GenerationWatch } from './generation-watch.js';
import { createProjector } from './projector.js';

let database: TestDatabase;
const ends: (() => Promise<void>)[] = [];
beforeAll(async () => {
  database = await createTestDatabase();
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});
afterAll(() => database.drop());

const surroundings = async () => {
  const { log, journal, generation, pool, count } = await station(database);
  const projector = createProjector({ pool, log, journal, set, catalog, generation, owner: 'one', logger });
  ends.push(
    () => pool.end(),
    () => projector.stop(),
  );
  return { projector, pool, count, generation, state: () => projector.status()[0] };
};

describe('a projector that has lost a partition', () => {
  it('I1: claims it again without any traffic once the other’s lease has run out, and not before', async () => {
    const { projector, pool, state } = await surroundings();
    projector.start();
    const owned = () => state()?.owned ?? false;
    await until('it has the partition', owned);
    // What the other sees of a process that was stopped longer than its lease.
    await pool.query(`update projection_checkpoint set lease_until = '-infinity'`);
    const other = await claim(pool, 0, 'other');
    const look = async () => {
      const { rows } = await pool.query<{ owner: string; epoch: string; as_of: Date; dead: boolean }>(
        'select owner, owner_epoch as epoch, as_of, lease_until < clock_timestamp() as dead from projection_checkpoint',
      );
      return rows[0];
    };
    await until('its heartbeat is refused', () => !owned());
    // The other dies without a word: its lease runs, nobody renews it, and nothing is appended.
    const meanwhile = new Set<string>();
    await until('the lease has run out', async () => {
      const row = await look();
      if (!row || row.dead || row.owner === 'one') return true;
      meanwhile.add(`${row.owner} ${row.epoch}`);
      return false;
    });
    expect([...meanwhile]).toEqual([`other ${other?.ownerEpoch}`]);
    await until('it has the partition again', owned, 5_000);
    const before = await look();
    await until('as_of goes on', async () => ((await look())?.as_of ?? 0) > (before?.as_of ?? 0), 5_000);
  });

  it('case R2: folds again from a checkpoint that was put back under it, its own epoch with it, without any traffic', async () => {
    const { projector, pool, count, state } = await surroundings();
    await count(['a', 'b']);
    projector.start();
    await until('both are folded', () => state()?.next === 2n);
    // What a restored database looks like to a process that goes on: as it was when this owner had folded nothing.
    await pool.query(`truncate counter, applied_command, feed_document, feed_history, feed_head, audit_entry`);
    await pool.query('update projection_checkpoint set next_offset = 0');
    const checkpoint = async () =>
      (await pool.query<{ next: string; as_of: Date }>('select next_offset as next, as_of from projection_checkpoint'))
        .rows[0];
    await until('it is folded again', async () => (await checkpoint())?.next === '2', 10_000);
    const before = await checkpoint();
    await until('as_of goes on', async () => ((await checkpoint())?.as_of ?? 0) > (before?.as_of ?? 0), 5_000);
    expect((await pool.query('select id, total from counter order by id')).rows).toEqual([
      { id: 'a', total: 1 },
      { id: 'b', total: 1 },
    ]);
  });

  it('I4: speaks of a stopped partition until another has it', async () => {
    const { projector, pool, count, state } = await surroundings();
    await count(['a']);
    await pool.query('insert into projection_checkpoint (partition, next_offset) values (0, 7)');
    projector.start();
    await until('it stops', () => state()?.stopped === true);
    expect(state()).toMatchObject({ owned: false, error: expect.stringMatching(/ends at 1, before the checkpoint 7/) });
    await pool.query(
      `update projection_checkpoint set next_offset = 0, owner = 'other', lease_until = clock_timestamp() + interval '1 minute'`,
    );
    await until('it says no more', () => state()?.error === null);
    expect(state()).toMatchObject({ owned: false, stopped: false });
  });
});

describe('a partition without an owner', () => {
  it('case C1: is an alarm once no projector has owned it for the time of a takeover, and none when one owns it again', async () => {
    const { pool, generation } = await surroundings();
    const lines: string[] = [];
    const hear = (_: object, line: string) => lines.push(line);
    const watch = new GenerationWatch({
      db: pool,
      generation: generation.id,
      onRetired: () => undefined,
      partitions: 2,
      logger: { ...logger, error: hear, info: hear },
      alarmMs: 300,
      lookEveryMs: 50,
    });
    const own = (partition: number, until: string) =>
      pool.query(
        `insert into projection_checkpoint (partition, lease_until) values ($1, $2::timestamptz)
         on conflict (partition) do update set lease_until = excluded.lease_until`,
        [partition, until],
      );
    await own(0, 'infinity');
    await own(1, 'infinity');
    watch.start();
    ends.push(async () => watch.stop());
    // The lease runs out, as of one that died without a word; partition 0 has its owner all the time.
    await own(1, '-infinity');
    const started = performance.now();
    await until('the alarm', () => watch.alarmed().length > 0);
    expect(performance.now() - started).toBeGreaterThan(300);
    expect(watch.alarmed()).toEqual([1]);
    await own(1, 'infinity');
    await until('it is over', () => watch.alarmed().length === 0);
    expect(lines).toEqual([
      'no projector owns the partition: its conferences stand still',
      'the partition has an owner again',
    ]);
  });
});

describe('a projector whose generation is retired', () => {
  it('hears of it without any traffic and without a partition of its own; also whoever asks afterwards', async () => {
    const { projector, pool, generation } = await surroundings();
    await pool.query(
      `insert into projection_checkpoint (partition, owner, lease_until) values (0, 'other', 'infinity')`,
    );
    projector.start();
    let heard = 0;
    projector.onRetired(() => heard++);
    await pool.query(`update public.generation set state = 'retired' where id = $1`, [generation.id]);
    await until('it hears of it', () => heard === 1, 10_000);
    projector.onRetired(() => heard++);
    expect(heard).toBe(2);
  });
});
