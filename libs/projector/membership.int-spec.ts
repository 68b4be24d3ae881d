import { setTimeout as pass } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type EventLog, LogUnavailable, type PartitionConsumer } from '#libs/event-log';
import { until } from '../../test/support/process.js';
import { silent as logger } from '../../test/support/silent.js';
import { catalog, set, station } from '../../test/support/station.js';
import { createTestDatabase, type TestDatabase } from '../../test/support/test-database.js';
import { shareOf } from './membership.js';
import { createProjector, type Projector } from './projector.js';

const PARTITIONS = 8;
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
  const { log, journal, generation, pool } = await station(database, PARTITIONS);
  ends.push(() => pool.end());
  const join = (owner: string, through = log) => {
    const projector = createProjector({ pool, log: through, journal, set, catalog, generation, owner, logger });
    projector.start();
    ends.push(() => projector.stop());
    return projector;
  };
  /** By partition, each from its first claim on. */
  const epochs = async () => {
    const { rows } = await pool.query<{ partition: number; epoch: string }>(
      'select partition, owner_epoch as epoch from projection_checkpoint order by partition',
    );
    return rows.map(({ epoch }) => Number(epoch));
  };
  return { log, pool, join, epochs };
};

/** A log that is far away: while it is blind nothing is offered, and nobody can say where it ends. */
function blindable(log: EventLog) {
  const far = {
    isBlind: false,
    log: {
      ...log,
      async watermarks(partition: number) {
        if (far.isBlind) throw new LogUnavailable('blind');
        return log.watermarks(partition);
      },
      subscribe: (consumer: PartitionConsumer, group: string) =>
        log.subscribe(
          {
            claim: async (partition) => (far.isBlind ? null : consumer.claim(partition)),
            consume: (batch) => consumer.consume(batch),
            holds: (partition) => consumer.holds(partition),
            lost: (partition) => consumer.lost(partition),
          },
          group,
        ),
    },
  };
  return far;
}

/** Offers all partitions at once, in the same order each time, and is as far away as a broker: slower to ask than the database. */
function tickingLog(log: EventLog) {
  let timer: NodeJS.Timeout | undefined;
  const subscribe = (consumer: PartitionConsumer) => {
    const offers = () => Array.from({ length: PARTITIONS }, (_, partition) => consumer.claim(partition));
    timer = setInterval(() => void Promise.allSettled(offers()), 50);
    const assigned = new Map(Array.from({ length: PARTITIONS }, (_, partition) => [partition, 0]));
    return { status: () => ({ silentMs: 0, alarms: [], assigned }), close: async () => clearInterval(timer) };
  };
  const watermarks = async (partition: number) => {
    await pass(40);
    return log.watermarks(partition);
  };
  return { log: { ...log, subscribe, watermarks }, end: () => clearInterval(timer) };
}

const owned = (projector: Projector): number => projector.status().filter((one) => one.owned).length;
const eachHas = (...parts: readonly (readonly [Projector, number])[]) =>
  until(`the parts are ${parts.map(([, part]) => part).join()}`, () =>
    parts.every(([one, part]) => owned(one) === part),
  );

describe('projectors of one generation', () => {
  it('share the partitions evenly, moving no more than they must, and take over at once from one who leaves', async () => {
    const { pool, join, epochs } = await surroundings();
    const one = join('one');
    await eachHas([one, 8]);
    expect(await epochs()).toEqual(Array(PARTITIONS).fill(1));
    const two = join('two');
    await eachHas([one, 4], [two, 4]);
    const three = join('three');
    await eachHas([one, 3], [two, 3], [three, 2]);
    // Four have moved to the second, one of each of the two to the third.
    expect((await epochs()).reduce((sum, epoch) => sum + epoch, 0)).toBe(PARTITIONS + 4 + 2);
    await one.stop();
    // Nothing is left of it that anybody would have to wait for.
    const { rows } = await pool.query(
      `select owner from projector where owner = 'one' union all select owner from projection_checkpoint where owner = 'one'`,
    );
    expect(rows).toEqual([]);
    await eachHas([two, 4], [three, 4]);
  });

  it('take over the part of one who is gone without a word once its lease has run out', async () => {
    const { pool, join } = await surroundings();
    const one = join('one');
    await eachHas([one, 8]);
    // What is left of a process that was killed.
    await pool.query(`insert into projector (owner, since, lease_until)
      values ('gone', clock_timestamp() - interval '1 hour', clock_timestamp() + interval '1 minute')`);
    await eachHas([one, 4]);
    await pool.query(`update projector set lease_until = '-infinity' where owner = 'gone'`);
    await eachHas([one, 8]);
  });

  it('leave their part to others while they cannot read the log', async () => {
    const { log, join } = await surroundings();
    const far = blindable(log);
    const one = join('one');
    const two = join('two', far.log);
    await eachHas([one, 4], [two, 4]);
    far.isBlind = true;
    await eachHas([one, 8]);
    far.isBlind = false;
    await eachHas([one, 4], [two, 4]);
  });
});

describe('a projector within its share', () => {
  it('takes what is free while a batch that hangs keeps the row of another partition', async () => {
    const { pool, join } = await surroundings();
    await pool.query('insert into projection_checkpoint (partition) values (3)');
    const hanging = await pool.connect();
    await hanging.query('begin; select from projection_checkpoint where partition = 3 for update');
    const one = join('one');
    await eachHas([one, 7]);
    await hanging.query('rollback');
    hanging.release();
    await eachHas([one, 8]);
  });

  it('does not lose its last place to a partition that stands still', async () => {
    const { log, pool, join } = await surroundings();
    await pool.query(`insert into projector (owner, since, lease_until)
      values ('eldest', clock_timestamp() - interval '1 hour', clock_timestamp() + interval '1 minute')`);
    // Checkpoints that the log has not reached: all but the last, so that there is one place more than partitions to read.
    await pool.query(
      'insert into projection_checkpoint (partition, next_offset) select p, 7 from generate_series(0, 6) p',
    );
    const ticking = tickingLog(log);
    ends.push(async () => ticking.end());
    const one = join('one', ticking.log);
    await eachHas([one, 1]);
    await until('it says what stands still', () => one.status().some(({ stopped }) => stopped));
  });
});

describe('a share', () => {
  it.each([1, 2, 3, 5, 8, 13])('of %i members adds up to all partitions, and differs by one at most', (members) => {
    const shares = Array.from({ length: members }, (_, older) => shareOf(PARTITIONS, members, older));
    expect(shares.reduce((sum, share) => sum + share, 0)).toBe(PARTITIONS);
    expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
  });
});
