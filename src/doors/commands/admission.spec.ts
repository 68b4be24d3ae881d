import { beforeEach, describe, expect, it } from '@jest/globals';
import { Refusal } from '#libs/protocol';
import { createDoors, type Doors } from '../../../test/support/doors.js';
import { CONFERENCE, openDemo, organizer, someone } from '../../../test/support/world.js';
import type { Identity } from '../../conference/capability.js';
import { type Announced, CommandAdmission } from './admission.js';
import { LagControl } from './lag-control.js';

const ask = (id: string, text = 'Why?') => ({ id, type: 'ask-question', data: { session: 's1', text } });

/** As many attendees' commands in flight and waiting as this gateway takes. */
function fill(lag: LagControl): Promise<unknown> {
  const conference = lag.of(CONFERENCE);
  const entered: Promise<unknown>[] = [];
  while (!conference.isFull) entered.push(conference.enter());
  return Promise.allSettled(entered);
}

describe('who is let in', () => {
  let doors: Doors;
  const send = (message: unknown, by: Identity = organizer) => doors.commands.handle(by, CONFERENCE, message);
  const codeOf = async (message: unknown, by?: Identity) => {
    const ack = await send(message, by);
    return 'refusal' in ack ? ack.refusal.code : ack.outcome;
  };

  beforeEach(async () => {
    doors = createDoors();
    await openDemo(doors.world);
    await doors.follow();
  });

  it('[C3] case V17: in a storm an attendee is refused at once with the time to wait, before a word is read; a desk and a producer go on', async () => {
    const lag = new LagControl({ waitMs: 100 });
    doors = createDoors(doors.world, lag);
    await doors.follow();
    const waiting = fill(lag);
    expect(await send('unreadable', someone('ann'))).toMatchObject({
      refusal: { code: 101, retryAfter: expect.any(Number) },
    });
    expect(await codeOf({ id: 'desk', type: 'close-questions', data: { session: 's1' } })).toBe('applied');
    const event = { id: 'p', type: 'start-session', data: { session: 's1' } };
    const identity = { actor: 'p', role: 'producer', conference: CONFERENCE } as const;
    expect(
      await doors.commands.takeForeign({ identity, conference: CONFERENCE, message: event, sender: 'p' }),
    ).toMatchObject({ outcome: 'applied' });
    await waiting;
  });

  it('case V17: each command goes to the log in the lane of its sender, an import in the last', async () => {
    const lanes: unknown[] = [];
    const { append } = doors.world.log;
    doors.world.log.append = (key, records, lane) => {
      lanes.push(lane);
      return append(key, records);
    };
    await send(ask('1'), someone('ann'));
    await send({ id: '2', type: 'close-questions', data: { session: 's1' } });
    await doors.commands.handle(
      organizer,
      CONFERENCE,
      { id: '3', type: 'start-session', data: { session: 's1' } },
      'bulk',
    );
    expect(lanes).toEqual(['attendee', 'interactive', 'bulk']);
  });

  it('case V17: whoever was not turned away is let in, up to the last, though hundreds come before the first enters', async () => {
    const admission = new CommandAdmission(new LagControl({ waitMs: 1_000 }));
    const onTheirWay: Announced[] = [];
    for (;;) {
      const way = admission.announce(someone('ann'), CONFERENCE);
      if (way instanceof Refusal) break;
      onTheirWay.push(way);
    }
    expect(onTheirWay.length).toBeGreaterThan(100);
    const done = { position: 1, outcome: 'applied' } as const;
    const acks = onTheirWay.map(() => admission.run('attendee', CONFERENCE, async () => done));
    expect((await Promise.all(acks)).filter((ack) => 'refusal' in ack)).toEqual([]);
    for (const way of onTheirWay) way.end();
    expect(admission.announce(someone('ann'), CONFERENCE)).not.toBeInstanceOf(Refusal);
  });

  it('I9: what was announced and never came gives its place back when it has been answered', () => {
    const admission = new CommandAdmission(new LagControl());
    const announce = () => admission.announce(someone('ann'), CONFERENCE);
    for (let turn = 0; turn < 10_000; turn++) {
      const way = announce();
      expect(way).not.toBeInstanceOf(Refusal);
      if ('end' in way) way.end();
    }
  });
});
