import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createProjector, type Projector, type ProjectorOptions } from '#libs/projector';
import { catalog } from '../../src/conference/catalog.js';
import { dropEvent, eraseAtOnce, WayOutRefused } from '../../src/ops/way-out.js';
import { conferenceStation, opened, set } from '../support/conference-station.js';
import { until } from '../support/process.js';
import { silent as logger } from '../support/silent.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const running: Projector[] = [];
afterEach(async () => {
  for (const projector of running.splice(0)) await projector.stop();
});
function start(options: Omit<ProjectorOptions, 'set' | 'catalog' | 'owner' | 'logger'>): Projector {
  const projector = createProjector({ ...options, set, catalog, owner: randomUUID(), logger });
  running.push(projector);
  projector.start();
  return projector;
}

const room = (id: string) => ({
  type: 'room-defined',
  subject: id,
  stream: 'conference',
  data: { id, name: id, order: 1, capacity: null, floor: null },
});
const by = { actor: 'root', reason: 'it stopped everybody' };

describe('the ways out of a partition that stands still', () => {
  it.each(['XX001', '42P01'])(
    'I4: an event that the database refuses with %s stops its partition; dropped by an operator, it lets everything else go on, audited',
    async (state) => {
      const { log, journal, generation, pool, append, refuse } = await conferenceStation(database);
      const [one, other] = [`one-${state}`.toLowerCase(), `other-${state}`.toLowerCase()];
      await append(one, [opened(one)]);
      await refuse('room', 'id', 'poison', state);
      await append(one, [room('fine'), room('poison')]);
      await append(other, [opened(other)]);
      const projector = start({ pool, log, journal, generation });
      // Smaller batches from try to try, until it is known which event it is.
      const says = `from offset 2 on cannot be folded (${state})`;
      await until('the event is named', () => projector.status()[0]?.error?.includes(says) ?? false, 25_000);
      expect(projector.status()[0]).toMatchObject({ next: 1n });
      const out = { pool: database.pool, log, journal };
      await expect(dropEvent(out, { partition: 0, offset: 99n }, by)).rejects.toThrow(WayOutRefused);
      await expect(dropEvent(out, { partition: 7, offset: 0n }, by)).rejects.toThrow(WayOutRefused);
      // Twice, as when the first answer was lost: it is dropped once.
      expect(await dropEvent(out, { partition: 0, offset: 2n }, by)).toBe(one);
      await dropEvent(out, { partition: 0, offset: 2n }, by);
      await until('it goes on', () => projector.status()[0]?.next === 6n);
      expect(projector.status()[0]).toMatchObject({ error: null, stopped: false });
      const rooms = await pool.query('select id from room');
      expect(rooms.rows).toEqual([{ id: 'fine' }]);
      const heads = await pool.query('select conference from feed_head order by 1');
      expect(heads.rows.map(({ conference }) => conference)).toEqual([one, other]);
      const audit = await pool.query(
        `select actor, actor_role as role, reason, no_effect as "noEffect", data from audit_entry where type = 'event-skipped'`,
      );
      expect(audit.rows).toEqual([
        { actor: 'root', role: 'operator', reason: by.reason, noEffect: null, data: { offset: 2 } },
      ]);
      await projector.stop();
      await pool.end();
    },
  );

  it('I14: a person is erased at once while the partition stands still; the event follows and has its effect once', async () => {
    const { log, journal, generation, pool, append, refuse } = await conferenceStation(database);
    const conference = 'still';
    await append(conference, [opened(conference)]);
    const granted = { type: 'moderator-granted', subject: 'ada', stream: 'access' };
    await append(conference, [{ ...granted, data: { moderator: 'ada', sessions: 'all', name: 'Ada Lovelace' } }]);
    const mend = await refuse('conference', 'conference', '%', '53100');
    const projector = start({ pool, log, journal, generation });
    await until('the partition stands still', () => projector.status()[0]?.error?.includes('53100') ?? false);
    const out = { pool: database.pool, log, journal };
    await expect(eraseAtOnce(out, 'unheard-of', 'ada', by)).rejects.toThrow(WayOutRefused);
    await eraseAtOnce(out, conference, 'ada', by);
    await eraseAtOnce(out, conference, 'ada', by);
    const keys = await database.pool.query('select key from subject_key where conference = $1', [conference]);
    expect(keys.rows).toEqual([{ key: null }]);
    await append(conference, [{ type: 'attendee-erased', subject: 'ada', stream: null, data: { subject: 'ada' } }]);
    await mend();
    await until('it goes on', () => projector.status()[0]?.next === 5n);
    const moderators = await pool.query('select name from moderator');
    expect(moderators.rows).toEqual([{ name: '[erased]' }]);
    const audit = await pool.query(
      `select actor, no_effect as "noEffect" from audit_entry where type = 'attendee-erased' order by "offset"`,
    );
    expect(audit.rows).toEqual([
      { actor: 'root', noEffect: null },
      { actor: 'olga', noEffect: 'already erased' },
    ]);
    await projector.stop();
    await pool.end();
  });
});
