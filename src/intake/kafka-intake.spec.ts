import { describe, expect, it } from '@jest/globals';
import type { IncomingRecord } from '#libs/event-log';
import { Refusal } from '#libs/protocol';
import { createDoors } from '../../test/support/doors.js';
import { silent } from '../../test/support/silent.js';
import { CONFERENCE, openDemo } from '../../test/support/world.js';
import { createIntake } from './intake.js';
import { takeRecord } from './kafka-intake.js';

const record: IncomingRecord = {
  topic: 'intake',
  partition: 0,
  offset: 7n,
  key: Buffer.from('demo'),
  headers: {},
  value: Buffer.from('{"specversion":"1.0","id":"1","source":"venue","type":"session-ended","data":{"session":"s1"}}'),
};

/** What becomes of a record, if its event is answered like this. */
async function take(answers: readonly (Error | undefined)[], over: Partial<IncomingRecord> = {}) {
  const kept: string[] = [];
  let asked = 0;
  const later = await takeRecord(
    {
      intake: {
        async accept() {
          const answer = answers[asked++];
          if (answer) throw answer;
          return { position: 1, outcome: 'applied' };
        },
      },
      keep: async (_, reason) => void kept.push(reason),
      logger: silent,
    },
    { ...record, ...over },
    new AbortController().signal,
  );
  return { later, kept, asked };
}

describe('a record of the intake', () => {
  it('waits for what passes, and says why', async () => {
    for (const [refusal, reason] of [
      [new Refusal('busy'), '101 too busy right now'],
      [new Refusal('behind'), '103 this gateway is behind the feed'],
      [new Refusal('log-unavailable'), '104 the log cannot be reached; nothing is known to be lost'],
    ] as const)
      expect(await take([refusal])).toMatchObject({ later: { retryMs: 500, reason }, kept: [], asked: 1 });
    expect(await take([new Refusal('loading', undefined, 2_000)])).toMatchObject({ later: { retryMs: 2_000 } });
  });

  it('is a dead letter at once where its stream is held for repair: that takes hours', async () => {
    const held = new Refusal('held', undefined, 60_000);
    expect(await take([held])).toEqual({
      later: undefined,
      kept: ['105 this part of the conference is held for repair'],
      asked: 1,
    });
  });

  it('is tried a few times if it fails for a reason of ours, and is a dead letter then', async () => {
    const bug = new TypeError('Cannot convert object to primitive value');
    expect(await take([bug, bug, bug])).toEqual({ later: undefined, kept: ['100 internal'], asked: 3 });
    expect(await take([bug, undefined])).toEqual({ later: undefined, kept: [], asked: 2 });
  });

  it('case V38: is a dead letter if its id was used for something else, however far the projection is behind', async () => {
    const doors = createDoors();
    await openDemo(doors.world);
    await doors.follow();
    const intake = createIntake({
      producers: { venue: ['*'] },
      handle: (command) => doors.commands.takeForeign(command),
    });
    const kept: string[] = [];
    const ports = { intake, keep: async (_: IncomingRecord, reason: string) => void kept.push(reason), logger: silent };
    const send = (type: string, room: string) => {
      const value = JSON.stringify({ specversion: '1.0', id: '1', source: 'venue', type, data: { room } });
      return takeRecord(
        ports,
        { ...record, key: Buffer.from(CONFERENCE), value: Buffer.from(value) },
        new AbortController().signal,
      );
    };
    for (const following of [false, true]) {
      doors.following = following;
      expect(await send('room-filled-up', 'a')).toBeUndefined();
      expect(kept.splice(0)).toEqual([]);
      for (const [type, room] of [
        ['room-filled-up', 'b'],
        ['room-freed-up', 'a'],
      ] as const) {
        expect(await send(type, room)).toBeUndefined();
        expect(kept.splice(0)).toEqual([expect.stringMatching(/^213 this id was used for something else/)]);
      }
    }
  });

  it('case V50: is a dead letter that names the header, the key or the value that is no UTF-8; other programs’ headers may be', async () => {
    const bytes = Buffer.from([0xff, 0x31]);
    const cases: readonly (readonly [Partial<IncomingRecord>, string])[] = [
      [{ headers: { ce_id: bytes } }, '200 the header ce_id is not UTF-8'],
      [{ headers: { 'content-type': bytes } }, '200 the header content-type is not UTF-8'],
      [{ headers: { ce_secret: bytes } }, '200 a header of the event is not UTF-8'],
      [{ key: bytes }, '200 the key is not UTF-8'],
      [{ value: bytes }, '200 the value is not UTF-8'],
    ];
    for (const [over, reason] of cases) expect((await take([], over)).kept).toEqual([reason]);
    expect(await take([], { headers: { 'x-other': bytes, traceparent: bytes } })).toMatchObject({ kept: [], asked: 1 });
  });

  it('is a dead letter if there is none to read', async () => {
    const unreadable = 'records 5–7 of a batch cannot be unpacked: incorrect header check';
    expect(await take([], { key: null, unreadable })).toEqual({
      later: undefined,
      kept: [`200 ${unreadable}`],
      asked: 0,
    });
  });
});
