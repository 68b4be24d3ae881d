import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { takeLease } from '#libs/postgres';
import { until } from '../../test/support/process.js';
import { type Running, startRunning } from '../../test/support/running.js';
import { silent } from '../../test/support/silent.js';
import { type Player, type PlayOptions, play } from './player.js';
import { MODERATOR, PLAYER, scriptOf } from './script.js';

describe('the demo’s player', () => {
  let running: Running;
  let beginning: number;
  let now: number;
  const players: Player[] = [];
  const sent: string[] = [];

  const start = (over: Partial<PlayOptions> = {}): Player => {
    const { service } = running;
    const player = play({
      takeLease: () => takeLease(service.store.pool, 'demo'),
      handle: async (identity, conference, message) => {
        sent.push((message as { id: string }).id);
        return service.handle(identity, conference, message);
      },
      readLive: service.readLive,
      logger: silent,
      conference: 'demo',
      beginning,
      now: () => now,
      ...over,
    });
    players.push(player);
    return player;
  };
  const audited = async () =>
    running.service.readLive(async (db, schema) => {
      const { rows } = await db.query<{ count: string }>(
        `select count(*) from ${schema}.audit_entry where conference = 'demo' and actor = $1 and no_effect is null`,
        [PLAYER],
      );
      return Number(rows[0]?.count);
    });

  beforeAll(async () => {
    running = await startRunning();
    now = Date.now();
    beginning = now - 200_000;
  }, 60_000);

  afterAll(async () => {
    for (const player of players) await player.stop();
    await running?.stop();
  });

  it('plays what is due, once, though two play and one is stopped in between (I13)', async () => {
    const first = start();
    await until('the first has the lease', () => sent.length > 0);
    const second = start();
    const due = scriptOf('demo', beginning).filter(({ at }) => at <= 200);
    await until('it has played all that is due', () => new Set(sent).size === due.length);
    expect(sent.length).toBe(due.length);
    const before = await audited();
    await first.stop();
    await until('the other goes on, from the beginning', () => sent.length === 2 * due.length, 20_000);
    expect(await audited()).toBe(before);
    await second.stop();
  }, 60_000);

  it('goes on while links are handed out, people ask; it stops for good when somebody moderates', async () => {
    await running.organizer.send('grant-moderator', { moderator: 'mo' });
    const ada = await running.as('attendee', 'ada');
    const { subject } = await ada.send('ask-question', { session: 'rollout', text: 'May I?' });
    const count = sent.length;
    now = beginning + 260_000;
    const due = scriptOf('demo', beginning).filter(({ at }) => at <= 260).length;
    const player = start();
    // Whether it may is asked before every step after the opening: all of them were played, so none of the above stopped it.
    await until('it plays all that is due', () => sent.length === count + due, 20_000);
    const desk = await running.as('moderator', MODERATOR);
    await desk.send('approve-question', { question: subject });
    await player.stop();
    now += 3_600_000;
    expect(await start().ended).toBe('taken over');
    const opening = scriptOf('demo', beginning).filter(({ at }) => at === 0).length;
    expect(sent.length).toBe(count + due + opening);
  }, 60_000);
});
