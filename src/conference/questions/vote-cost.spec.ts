import { describe, expect, it } from '@jest/globals';
import { foldBatch, Overlay, type RowSource } from '#libs/projector';
import { createWorld, openDemo, someone } from '../../../test/support/world.js';
import { catalog } from '../catalog.js';
import { projectionSet } from '../projection-set.js';

describe('what a vote reads', () => {
  it('case V17: in a hall that goes on voting a batch asks only whether its commands were met before', async () => {
    const world = createWorld();
    await openDemo(world);
    const made = await world.send('ask-question', { session: 's1', text: 'Why?' }, someone('asker'));
    const [question = ''] = made as readonly string[];
    await world.fold();
    await world.send('approve-question', { question });
    await world.fold();
    const asked: string[][] = [];
    const source: RowSource = {
      async load(selects) {
        asked.push(
          [
            ...new Set(selects.map(({ select }) => `${select.table.name} by ${Object.keys(select.where).join()}`)),
          ].sort(),
        );
        return world.store.load(selects);
      },
    };
    const overlay = new Overlay(source);
    const set = projectionSet('test');
    const reader = world.journal.reader();
    const decode: Parameters<typeof foldBatch>[0]['decode'] = (records) => reader.decode(0, records);
    /** Everybody votes, or takes the vote back, in one batch. @returns the trips to the database, each with what it asked for */
    const round = async (type: string) => {
      asked.length = 0;
      for (let voter = 0; voter < 20; voter++) await world.send(type, { question }, someone(`voter-${voter}`));
      const { records } = await world.log.read(0, world.store.next, 1_000);
      const next = world.store.next + BigInt(records.length);
      const expected = world.store.next;
      const decoded = await decode(records);
      const plan = await foldBatch({
        set,
        catalog,
        partition: 0,
        expected,
        next,
        records: decoded,
        source,
        overlay,
        decode,
        isSkipped: () => false,
      });
      world.store.apply(plan);
      return asked.slice();
    };
    expect((await round('upvote-question')).length).toBeLessThanOrEqual(3);
    expect(await round('withdraw-upvote')).toEqual([['applied_command by commandId']]);
    expect(await round('upvote-question')).toEqual([['applied_command by commandId']]);
  });
});
